// What the page draws with.
export {
  AmbientLight, BufferGeometry, CapsuleGeometry, CircleGeometry, Color, DirectionalLight, Fog, GridHelper, Group,
  InstancedMesh, Matrix4, Mesh, MeshBasicMaterial, MeshStandardMaterial, PerspectiveCamera, Quaternion, Scene,
  SphereGeometry, Vector3, WebGLRenderer,
} from "three";
export { OrbitControls } from "three/examples/jsm/controls/OrbitControls.js";
