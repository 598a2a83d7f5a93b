extends Skeleton
# A skeleton that is danced over VMC: listens to UDP, builds its bones from what arrives, and prints for each frame
# `time, left hand x y z, right hand x y z` in metres of Godot's world. Ends with the show (/VMC/Ext/OK 0).

export(int) var port = 39539 # or --port=N

const ABOVE = {
	"Hips": "", "Spine": "Hips", "Chest": "Spine", "UpperChest": "Chest", "Neck": "UpperChest", "Head": "Neck",
	"LeftShoulder": "UpperChest", "LeftUpperArm": "LeftShoulder", "LeftLowerArm": "LeftUpperArm",
	"LeftHand": "LeftLowerArm", "RightShoulder": "UpperChest", "RightUpperArm": "RightShoulder",
	"RightLowerArm": "RightUpperArm", "RightHand": "RightLowerArm",
	"LeftUpperLeg": "Hips", "LeftLowerLeg": "LeftUpperLeg", "LeftFoot": "LeftLowerLeg", "LeftToes": "LeftFoot",
	"RightUpperLeg": "Hips", "RightLowerLeg": "RightUpperLeg", "RightFoot": "RightLowerLeg", "RightToes": "RightFoot",
}

var socket = PacketPeerUDP.new()
var time = -1.0 # of the frame in hand


func _ready():
	for argument in OS.get_cmdline_args():
		if argument.begins_with("--port="):
			port = int(argument.split("=")[1])
	if socket.listen(port, "*", 1 << 20) != OK:
		push_error("UDP port %d is taken" % port)
		get_tree().quit()


func _process(_delta):
	while socket.get_available_packet_count() > 0:
		var stream = StreamPeerBuffer.new()
		stream.big_endian = true
		stream.data_array = socket.get_packet()
		read(stream, stream.get_size())


func read(stream, end):
	var address = read_string(stream)
	if address == "#bundle":
		stream.seek(stream.get_position() + 8) # the time tag: at once
		while stream.get_position() < end:
			var size = stream.get_32()
			read(stream, stream.get_position() + size)
	else:
		obey(address, read_values(stream))


func read_string(stream):
	var text = ""
	var start = stream.get_position()
	var code = stream.get_u8()
	while code != 0:
		text += char(code)
		code = stream.get_u8()
	stream.seek(start + (text.length() / 4 + 1) * 4)
	return text


func read_values(stream):
	var values = []
	for type in read_string(stream).substr(1):
		if type == "f":
			values.append(stream.get_float())
		elif type == "i":
			values.append(stream.get_32())
		elif type == "s":
			values.append(read_string(stream))
	return values


func obey(address, values):
	if address == "/VMC/Ext/T":
		show_hands()
		time = values[0]
	elif address == "/VMC/Ext/Root/Pos":
		transform = to_godot(values)
	elif address == "/VMC/Ext/Bone/Pos" and ABOVE.has(values[0]):
		set_bone_pose(bone(values[0]), to_godot(values))
	elif address == "/VMC/Ext/OK" and values[0] == 0:
		show_hands()
		get_tree().quit()


func to_godot(values):
	# Unity is left-handed, Godot right-handed, both with Y up: x changes its sign, and with it turns about y and z.
	var place = Vector3(-values[1], values[2], values[3])
	return Transform(Basis(Quat(values[4], -values[5], -values[6], values[7])), place)


func bone(name):
	var number = find_bone(name)
	if number < 0:
		number = get_bone_count()
		add_bone(name)
		var above = ABOVE[name]
		while above != "" and find_bone(above) < 0: # an avatar may lack some
			above = ABOVE[above]
		if above != "":
			set_bone_parent(number, find_bone(above))
	return number


func show_hands():
	if time >= 0.0:
		var left = hand("LeftHand")
		var right = hand("RightHand")
		print("%.6f, %.6f %.6f %.6f, %.6f %.6f %.6f" % [time, left.x, left.y, left.z, right.x, right.y, right.z])


func hand(name):
	return (global_transform * get_bone_global_pose(bone(name))).origin
