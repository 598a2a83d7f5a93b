"""For Blender: `blender -b --python blender_places.py -- FILE FRAME...` imports a .bvh or .glb with the importer's own
settings at 60 frames a second, and prints as JSON where each joint lies at those frames (the first is 0)."""

import json
import sys

import bpy
import numpy
from io_anim_bvh import import_bvh


def opened(path, mode):
    """Debian's Blender 3.4 runs on Python 3.11, which no longer knows the mode `rU` that its importer asks for."""
    return open(path, mode.replace("U", ""))


import_bvh.open = opened
numpy.bool = bool  # its glTF importer asks for a name that newer numpy no longer has
path, *frames = sys.argv[sys.argv.index("--") + 1 :]
scene = bpy.context.scene
scene.render.fps = 60
bpy.ops.object.select_all(action="SELECT")
bpy.ops.object.delete()
if first := int(path.endswith(".bvh")):  # that importer counts from 1
    bpy.ops.import_anim.bvh(filepath=path)
else:
    bpy.ops.import_scene.gltf(filepath=path)
body = next(thing for thing in bpy.data.objects if thing.type == "ARMATURE")


def places(frame):
    scene.frame_set(first + frame)
    return {bone.name: list(body.matrix_world @ bone.head) for bone in body.pose.bones}


print("PLACES " + json.dumps([places(int(frame)) for frame in frames]))
