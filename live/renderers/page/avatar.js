// A VRM avatar (0.x or 1.0) that dances as the show does. Loaded only once one is dropped onto the page.

import { Quaternion, Vector3 } from "./vendor/three.js";
import { GLTFLoader, VRMLoaderPlugin, VRMUtils } from "./vendor/vrm.js";

// A bone that an avatar may lack, and the one that then turns for it: its parent, or its child.
const TO_PARENT = { upperChest: "chest", chest: "spine" };
const TO_CHILD = { neck: "head", leftShoulder: "leftUpperArm", rightShoulder: "rightUpperArm" };

/** The avatar in a file; an Error in a few words where it is none. */
export async function avatarOf(file, hello) {
  const loader = new GLTFLoader();
  loader.register((parser) => new VRMLoaderPlugin(parser));
  let read;
  try {
    read = await loader.parseAsync(await file.arrayBuffer(), "");
  } catch {
    throw new Error(`${file.name} is no VRM file, or is damaged`);
  }
  if (!read.userData.vrm?.humanoid) throw new Error(`${file.name} holds no humanoid`);
  return new Avatar(read.userData.vrm, hello);
}

class Avatar {
  constructor(vrm, hello) {
    this.vrm = vrm;
    this.bones = hello.bones;
    this.backward = vrm.meta?.metaVersion === "0"; // its axes are turned by half a turn
    if (this.backward) VRMUtils.rotateVRM0(vrm);
    this.nodes = Object.fromEntries(hello.bones.map((bone) => [bone, vrm.humanoid.getNormalizedBoneNode(bone)]));
    const hips = this.nodes.hips.getWorldPosition(new Vector3()).y;
    this.size = hips / hello.offsets[0][1];
    this.turns = hello.bones.map(() => new Quaternion());
    vrm.scene.traverse((part) => { part.frustumCulled = false; });
  }

  get scene() {
    return this.vrm.scene;
  }

  pose(frame) {
    const turn = (bone) => this.turns[this.bones.indexOf(bone)];
    this.turns.forEach((turned, n) => turned.fromArray(frame.rotations, 4 * n));
    for (const [bone, parent] of Object.entries(TO_PARENT)) if (!this.nodes[bone]) turn(parent).multiply(turn(bone));
    for (const [bone, child] of Object.entries(TO_CHILD)) if (!this.nodes[bone]) turn(child).premultiply(turn(bone));
    this.bones.forEach((bone, n) => {
      const { x, y, z, w } = this.turns[n];
      this.nodes[bone]?.quaternion.set(this.backward ? -x : x, y, this.backward ? -z : z, w);
    });
    const [x, y, z] = frame.joints; // the hips: their height by the avatar's legs, their way over the floor as danced
    this.nodes.hips.position.set(this.backward ? -x : x, y * this.size, this.backward ? -z : z);
  }

  update(seconds) {
    this.vrm.update(seconds);
  }

  joints() {
    return this.bones.map((bone) => this.nodes[bone]?.getWorldPosition(new Vector3()).toArray() ?? null);
  }

  dispose() {
    VRMUtils.deepDispose(this.vrm.scene);
  }
}
