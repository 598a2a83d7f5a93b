// The dancers in three dimensions: a body of capsules over the joints, or an avatar that was dropped onto the page.

import {
  AmbientLight, CapsuleGeometry, CircleGeometry, Color, DirectionalLight, Fog, GridHelper, Group, Mesh,
  MeshBasicMaterial, MeshStandardMaterial, OrbitControls, PerspectiveCamera, Scene, SphereGeometry, Vector3,
  WebGLRenderer,
} from "./vendor/three.js";

const THICK = { hips: 0.09, spine: 0.095, chest: 0.1, upperChest: 0.11, neck: 0.045, head: 0.05, Shoulder: 0.06,
  UpperArm: 0.048, LowerArm: 0.038, Hand: 0.03, UpperLeg: 0.08, LowerLeg: 0.062, Foot: 0.045, Toes: 0.035 };
const COLOURS = [0xffb454, 0x5cc8ff, 0xd58cff, 0x6fd08c, 0xff7d9c, 0xe8e06a];
const UP = new Vector3(0, 1, 0);
const thick = (bone) => THICK[bone] ?? THICK[bone.replace(/^(left|right)/, "")];

/** A dancer: a ball at each joint, a capsule from each joint to its parent, a ball for the head. */
class Body {
  constructor(hello, number) {
    this.parents = hello.parents;
    this.group = new Group();
    const material = new MeshStandardMaterial({ color: COLOURS[number % COLOURS.length], roughness: 0.55 });
    this.balls = hello.bones.map((bone) => new Mesh(new SphereGeometry(thick(bone) * 0.95, 16, 12), material));
    this.limbs = hello.bones.map((bone, n) => {
      const length = Math.hypot(...hello.offsets[n]);
      return n ? new Mesh(new CapsuleGeometry(thick(bone) * 0.85, length, 4, 12), material) : null;
    });
    this.lengths = hello.offsets.map((offset) => Math.hypot(...offset));
    this.skull = new Mesh(new SphereGeometry(0.105, 20, 16), material);
    this.head = hello.bones.indexOf("head");
    this.group.add(...this.balls, ...this.limbs.slice(1), this.skull);
    this.way = new Vector3();
  }

  /** joints: flat, from place `at` on. */
  pose(joints, at) {
    this.balls.forEach((ball, n) => ball.position.fromArray(joints, at + 3 * n));
    for (let n = 1; n < this.balls.length; n++) {
      const to = this.balls[n].position, from = this.balls[this.parents[n]].position, limb = this.limbs[n];
      this.way.subVectors(to, from);
      limb.position.addVectors(from, to).multiplyScalar(0.5);
      limb.scale.set(1, this.way.length() / Math.max(this.lengths[n], 1e-6), 1);
      limb.quaternion.setFromUnitVectors(UP, this.way.normalize());
    }
    const neck = this.balls[this.parents[this.head]].position, head = this.balls[this.head].position;
    this.skull.position.copy(this.way.subVectors(head, neck).normalize().multiplyScalar(0.09).add(head));
  }
}

export class Stage {
  /** Throws where the browser cannot draw in three dimensions. */
  constructor(canvas) {
    this.canvas = canvas;
    this.renderer = new WebGLRenderer({ canvas, antialias: true });
    this.scene = new Scene();
    this.scene.background = new Color(0x0d1017);
    this.scene.fog = new Fog(0x0d1017, 8, 20);
    this.camera = new PerspectiveCamera(38, 1, 0.1, 60);
    this.controls = new OrbitControls(this.camera, canvas);
    this.controls.maxPolarAngle = 1.62;
    this.controls.minDistance = 1;
    this.controls.maxDistance = 15;
    this.controls.listenToKeyEvents(canvas);
    this.furnish();
    this.bodies = [];
    this.avatar = null;
    this.front();
  }

  furnish() {
    const lamp = new DirectionalLight(0xfff1dc, 2.2), cool = new DirectionalLight(0x9cc8ff, 1.1);
    lamp.position.set(-3, 5, 4);
    cool.position.set(4, 3, -2);
    this.scene.add(new AmbientLight(0x8890a8, 1.1), lamp, cool, new GridHelper(8, 16, 0x39415a, 0x1d2230));
    const ring = new CircleGeometry(0.45, 48).rotateX(-Math.PI / 2).translate(0, 0.004, 0);
    this.glow = new MeshBasicMaterial({ color: 0xffb454, transparent: true, opacity: 0.1, depthWrite: false });
    this.rings = [];
    this.ring = () => new Mesh(ring, this.glow);
  }

  front() {
    const wide = 1 + 0.75 * Math.max(0, (this.bodies?.length || 1) - 1);
    this.camera.position.set(0, 1.35, 2.7 + 1.3 * wide);
    this.controls.target.set(0, 0.95, 0);
    this.controls.update();
  }

  hello(hello) {
    this.spoken = hello;
    this.bodies.forEach((body) => this.scene.remove(body.group));
    this.rings.forEach((ring) => this.scene.remove(ring));
    this.bodies = [];
    this.rings = [];
  }

  /** Pose and beat of a frame. */
  show(frame) {
    if (this.bodies.length !== frame.dancers) this.invite(frame.dancers);
    this.bodies.forEach((body, n) => {
      body.pose(frame.joints, 66 * n);
      body.group.visible = frame.presence > 0.05 && !(this.avatar && n === 0);
      this.rings[n].position.set(frame.joints[66 * n], 0, frame.joints[66 * n + 2]);
    });
    this.avatar?.pose(frame);
    this.glow.opacity = 0.06 + 0.2 * frame.confidence * Math.max(0, 1 - 2.5 * frame.phase);
  }

  invite(count) {
    this.hello(this.spoken);
    for (let n = 0; n < count; n++) {
      const body = new Body(this.spoken, n), ring = this.ring();
      this.bodies.push(body);
      this.rings.push(ring);
      this.scene.add(body.group, ring);
    }
    this.front();
  }

  /** Let an avatar dance in the first dancer's place; null: the body again. */
  dress(avatar) {
    if (this.avatar) {
      this.scene.remove(this.avatar.scene);
      this.avatar.dispose();
    }
    this.avatar = avatar;
    if (avatar) this.scene.add(avatar.scene);
  }

  draw(seconds) {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const ratio = Math.min(devicePixelRatio, 2);
    if (this.canvas.width !== Math.floor(width * ratio) || this.canvas.height !== Math.floor(height * ratio)) {
      this.renderer.setPixelRatio(ratio);
      this.renderer.setSize(width, height, false);
      this.camera.aspect = width / Math.max(height, 1);
      this.camera.updateProjectionMatrix();
    }
    this.avatar?.update(seconds);
    this.renderer.render(this.scene, this.camera);
  }

  /** Where the joints of dancer n are drawn, [22][3] in metres of the world. */
  joints(n = 0) {
    if (this.avatar && n === 0) return this.avatar.joints();
    return this.bodies[n].balls.map((ball) => ball.getWorldPosition(new Vector3()).toArray());
  }
}
