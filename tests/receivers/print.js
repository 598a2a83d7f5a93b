// node print.js PORT: every OSC message that arrives there, a line each.
const osc = require("osc");
const port = new osc.UDPPort({ localAddress: "127.0.0.1", localPort: Number(process.argv[2]) });
port.on("message", ({ address, args }) => console.log([address, ...args].join(" ")));
port.on("error", (error) => console.log(`error ${error.message}`));
port.open();
