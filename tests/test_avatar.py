"""Avatars of other proportions: their VRM file is read, and what they lack is danced by their other bones."""

from __future__ import annotations

import numpy as np
import pytest
from avatars import LACKING, nearest, vrm
from output_poses import listener, port_of, pose, received
from pythonosc.osc_bundle import OscBundle

from live import rotation, skeleton
from live.errors import BadFile
from live.outputs import vmc
from live.outputs._avatar import folded, read_avatar
from live.placement import Placement


def bones_sent(uri, p):
    """Bone name -> (position, rotation) of one frame as received, in Unity's frame; `Root` and blends too."""
    with listener() as sock:
        output = vmc.open_output(uri.format(port_of(sock)))
        output.open(p.dancers, paced=True)
        output.send(p)
        packets = received(sock)
        output.close()
    assert max(map(len, packets)) <= 1472
    found = {}
    for m in (m for packet in packets for m in OscBundle(packet)):
        if m.address.endswith("/Pos"):
            found[m.params[0]] = (np.array(m.params[1:4]), np.array(m.params[4:]))
        elif m.address.startswith("/VMC/Ext/Blend"):
            found[m.address + ":" + str(m.params[:1])] = m.params[1:]
    return found


@pytest.mark.parametrize("version", [0, 1])
def test_the_rest_offsets_of_a_file_of_our_proportions_are_ours(tmp_path, version):
    avatar = read_avatar(vrm(tmp_path / "a.vrm", version))
    np.testing.assert_allclose(avatar.offsets, skeleton.REST_OFFSETS, atol=1e-6)
    assert avatar.bones == tuple(range(22)) and avatar.size == pytest.approx(1.0)


@pytest.mark.parametrize("version", [0, 1])
def test_an_avatar_that_lacks_bones_names_no_bone_that_it_has_not(tmp_path, version):
    path = vrm(tmp_path / "a.vrm", version, LACKING, size=0.5)
    sent = bones_sent(f"vmc://127.0.0.1:{{}}?vrm={path}", pose())
    wanted = {vmc.unity_bone(bone) for bone in skeleton.BONES if bone not in LACKING}
    assert set(sent) - {"root"} == wanted


def test_hips_are_as_high_as_the_avatars_legs_are_long(tmp_path):
    sent = bones_sent(f"vmc://127.0.0.1:{{}}?vrm={vrm(tmp_path / 'a.vrm', size=0.5)}", pose())
    np.testing.assert_allclose(sent["Hips"][0], pose().root_position[0] * [-0.5, 0.5, 0.5], rtol=1e-6)
    np.testing.assert_allclose(sent["LeftLowerArm"][0], [-0.135, 0, 0], atol=1e-6)


@pytest.mark.parametrize("lacking", [LACKING, ("upperChest", "chest"), ("neck",)])
def test_what_is_folded_turns_the_bones_that_are_there_as_before(lacking, tmp_path):
    p = pose(1, 2)
    _, whole = skeleton.forward_kinematics(p.root_position, p.local_rotations)
    avatar = read_avatar(vrm(tmp_path / "a.vrm", 1, lacking))
    local = rotation.to_matrix(folded(p.local_rotations, avatar.folds()))
    turning = {other for bone, other, parent in avatar.folds() if parent}  # these take a child's turn as well
    world = {}
    for i in avatar.bones:
        bone, above = skeleton.BONES[i], nearest(skeleton.BONES[i], lacking)
        world[bone] = world[above] @ local[:, i] if above else local[:, i]
        if i not in turning and not bone.endswith("Toes"):
            np.testing.assert_allclose(world[bone], whole[:, i], atol=1e-5, err_msg=bone)


def test_with_a_moving_root_the_hips_stand_where_they_did():
    p = pose()
    sent = bones_sent("vmc://127.0.0.1:{}?root=root", p)
    (place, heading), (hips, turned) = sent["root"], sent["Hips"]
    np.testing.assert_allclose(place + rotation.rotate(heading, hips), p.root_position[0] * [-1, 1, 1], atol=1e-6)
    back = rotation.multiply(heading, turned)
    np.testing.assert_allclose(back, p.local_rotations[0, 0] * [1, -1, -1, 1], atol=1e-6)
    assert place[1] == hips[0] == hips[2] == 0


def test_danced_on_the_spot_only_the_height_changes():
    sent = bones_sent("vmc://127.0.0.1:{}?root=still", pose())
    np.testing.assert_allclose(sent["Hips"][0], [0, pose().root_position[0, 1], 0], atol=1e-7)
    assert [*sent["root"][0], *sent["root"][1]] == [0, 0, 0, 0, 0, 0, 1]


def test_the_face_follows_the_loudness_and_is_applied():
    sent = bones_sent("vmc://127.0.0.1:{}?face=loudness", pose())
    assert 0 < sent["/VMC/Ext/Blend/Val:['A']"][0] <= 1
    assert {"/VMC/Ext/Blend/Apply:[]"} | {f"/VMC/Ext/Blend/Val:['{name}']" for name in vmc.FACE} <= set(sent)


def test_a_scaled_body_has_scaled_bones():
    with listener() as sock:
        output = vmc.open_output(f"vmc://127.0.0.1:{port_of(sock)}")
        output.placement = Placement(scale=2.0)
        output.open(1, True)
        output.send(pose())
        arm = next(m for packet in received(sock) for m in OscBundle(packet) if m.params[:1] == ["LeftLowerArm"])
        output.close()
    assert arm.params[1] == pytest.approx(-0.54)


def test_several_hosts_receive_the_same_bytes():
    with listener() as a, listener() as b:
        output = vmc.open_output(f"vmc://127.0.0.1:{port_of(a)},localhost:{port_of(b)}?root=still")
        output.open(1, paced=True)
        output.send(pose())
        first, second = received(a), received(b)
        output.close()
    assert first == second and len(first) == 2


@pytest.mark.parametrize(
    "damage",
    [
        lambda d: d.pop("nodes"),
        lambda d: d.pop("extensions"),
        lambda d: d["nodes"][1].update(children=[0]),
        lambda d: d["nodes"][1].update(translation=[0, float("nan"), 0]),
        lambda d: d["nodes"][1].update(translation="up"),
        lambda d: d["extensions"]["VRMC_vrm"]["humanoid"]["humanBones"].pop("leftFoot"),
        lambda d: d["extensions"]["VRMC_vrm"]["humanoid"]["humanBones"]["head"].update(node=900),
    ],
)
def test_a_damaged_avatar_is_refused_in_one_line(tmp_path, damage):
    with pytest.raises(BadFile, match=r"^avatar '[^\n]+$"):
        read_avatar(vrm(tmp_path / "a.vrm", 1, damage=damage))


def test_a_file_cut_anywhere_is_refused_in_one_line(tmp_path):
    whole = vrm(tmp_path / "a.vrm").read_bytes()
    for end in range(0, len(whole), 97):
        (tmp_path / "b.vrm").write_bytes(whole[:end])
        with pytest.raises(BadFile):
            read_avatar(tmp_path / "b.vrm")
