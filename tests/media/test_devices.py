"""Which cameras and microphones there are, and how each system's are opened."""

import struct
from itertools import pairwise

import pytest
from av.device import DeviceInfo

from restante.media import Kind, NoDevice, choose_devices
from restante.media.devices import (
    Device,
    System,
    alsa_microphones,
    find_devices,
    listed,
    openings,
    v4l2_cameras,
)
from restante.media.errors import DeviceUnknown
from restante.media.v4l2 import gives_pictures

PCM = """00-00: ALC287 Analog : ALC287 Analog : playback 1 : capture 1
00-03: HDMI 0 : HDMI 0 : playback 1
02-00: USB Audio : USB Audio : capture 1
"""
CARDS = """ 0 [PCH            ]: HDA-Intel - HDA Intel PCH
                      HDA Intel PCH at 0x6044110000 irq 152
 2 [C920           ]: USB-Audio - HD Pro Webcam C920
                      HD Pro Webcam C920 at usb-0000:00:14.0-2, high speed
"""


@pytest.fixture
def machine(tmp_path):
    """The folders of a Linux machine with two webcams, whose second nodes carry metadata, and two sound cards."""
    for number, (name, index) in enumerate(
        [
            ("Integrated Camera", 0),
            ("Integrated Camera", 1),
            ("HD Pro Webcam C920", 0),
            ("HD Pro Webcam C920", 1),
        ]
    ):
        folder = tmp_path / f"sys/class/video4linux/video{number}"
        folder.mkdir(parents=True)
        (folder / "name").write_text(f"{name}\n")
        (folder / "index").write_text(f"{index}\n")
    for number, name in ((0, "PCH"), (2, "C920")):
        (tmp_path / f"proc/asound/card{number}").mkdir(parents=True)
        (tmp_path / f"proc/asound/card{number}/id").write_text(f"{name}\n")
    (tmp_path / "proc/asound/pcm").write_text(PCM)
    (tmp_path / "proc/asound/cards").write_text(CARDS)
    return tmp_path


def test_cameras_are_nodes_that_give_pictures(machine):
    first, second = v4l2_cameras(machine)
    assert first == Device(Kind.CAMERA, f"{machine}/dev/video0", "Integrated Camera")
    assert second == Device(Kind.CAMERA, f"{machine}/dev/video2", "HD Pro Webcam C920")
    answers = {"video0": False, "video1": True, "video2": None, "video3": None}
    found = v4l2_cameras(machine, captures=lambda node: answers[node.name])
    assert [camera.id.rpartition("/")[2] for camera in found] == ["video1", "video2"]


def test_a_node_of_metadata_is_no_camera():
    def answer(all_nodes, this_node):
        return struct.pack("=16s32s32sIII12x", b"uvcvideo", b"C920", b"usb", 0, all_nodes, this_node)

    assert gives_pictures(answer(0x84A0_0001, 0x0420_0001))
    assert not gives_pictures(answer(0x84A0_0001, 0x04A0_0000))
    assert gives_pictures(answer(0x0000_0001, 0))  # a driver of before 2012 says nothing of this node


def test_microphones_are_what_can_be_recorded_from(machine):
    assert alsa_microphones(machine) == [
        Device(Kind.MICROPHONE, "plughw:CARD=PCH,DEV=0", "HDA Intel PCH, ALC287 Analog"),
        Device(Kind.MICROPHONE, "plughw:CARD=C920,DEV=0", "HD Pro Webcam C920, USB Audio"),
    ]
    (machine / "run/user/1000").mkdir(parents=True)
    (machine / "run/user/1000/pipewire-0").touch()
    assert alsa_microphones(machine)[0].id == "default"


def test_a_machine_without_devices_has_none(tmp_path):
    assert v4l2_cameras(tmp_path) == alsa_microphones(tmp_path) == []
    with pytest.raises(NoDevice):
        choose_devices(Kind.CAMERA, [], root=tmp_path)


def test_a_device_is_chosen_by_id_name_or_part_of_it(machine):
    everything = find_devices(Kind.CAMERA, root=machine)
    for name in (f"{machine}/dev/video2", "hd pro webcam c920", "c920"):
        assert choose_devices(Kind.CAMERA, [name], root=machine) == everything[1:]
    assert choose_devices(Kind.CAMERA, ["c920", "integrated"], root=machine) == everything[::-1]
    assert choose_devices(Kind.CAMERA, [], root=machine) == everything
    for name in ("webcam 9", "c"):
        with pytest.raises(DeviceUnknown):
            choose_devices(Kind.CAMERA, [name], root=machine)


def test_what_libav_lists_is_sorted_by_kind_and_a_screen_is_no_camera():
    """As AVFoundation and DirectShow are listed; made up after libav's source, since this is neither system."""
    found = [
        DeviceInfo("0", "FaceTime HD Camera", is_default=False, media_types=["video"]),
        DeviceInfo("1", "Capture screen 0", is_default=False, media_types=["video"]),
        DeviceInfo("2", "USB Camera", is_default=True, media_types=["video", "audio"]),
        DeviceInfo("0", "MacBook Microphone", is_default=False, media_types=["audio"]),
    ]
    assert [each.label for each in listed(Kind.CAMERA, found)] == ["USB Camera", "FaceTime HD Camera"]
    assert [each.id for each in listed(Kind.MICROPHONE, found)] == ["2", "0"]


@pytest.mark.parametrize(
    ("system", "kind", "device_id", "format", "url", "options"),
    [
        (System.LINUX, Kind.CAMERA, "/dev/video0", "v4l2", "/dev/video0", {"input_format": "mjpeg"}),
        (
            System.LINUX,
            Kind.MICROPHONE,
            "plughw:CARD=PCH,DEV=0",
            "alsa",
            "plughw:CARD=PCH,DEV=0",
            {"channels": "1"},
        ),
        (System.MACOS, Kind.CAMERA, "0", "avfoundation", "0:none", {"pixel_format": "nv12"}),
        (System.MACOS, Kind.MICROPHONE, "1", "avfoundation", "none:1", {}),
        (System.WINDOWS, Kind.CAMERA, "Webcam", "dshow", "video=Webcam", {"video_size": "1280x720"}),
        (System.WINDOWS, Kind.MICROPHONE, "Mic", "dshow", "audio=Mic", {"audio_buffer_size": "50"}),
        (System.LINUX, Kind.CAMERA, "lavfi:testsrc2", "lavfi", "testsrc2,realtime", {}),
        (System.WINDOWS, Kind.MICROPHONE, "lavfi:sine", "lavfi", "sine,arealtime", {}),
    ],
)
def test_each_system_opens_its_devices_its_own_way(system, kind, device_id, format, url, options):
    ways = openings(Device(kind, device_id, "label"), system)
    assert {(way.format, way.url) for way in ways} == {(format, url)}
    assert ways[0].options.items() >= options.items()
    assert all(len(after.options) < len(before.options) for before, after in pairwise(ways))
