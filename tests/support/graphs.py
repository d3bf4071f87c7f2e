"""What a flow has built, read back from the pipeline: elements in order, properties, links."""

import itertools
from collections import defaultdict

from gi.repository import GObject, Gst

from headrace.flow import stream

_ACTION = GObject.SignalFlags.ACTION | GObject.SignalFlags.RUN_LAST
_ANY = Gst.Caps.new_any()


def template(name, direction, presence=Gst.PadPresence.ALWAYS):
    return Gst.PadTemplate.new(name, direction, presence, _ANY)


#: Elements that may be missing, with the properties that flows set.
STAND_INS = {
    "nvinfer": {"config-file-path": "", "batch-size": 1, "unique-id": 15, "model-engine-file": ""},
    "nvinferserver": {"config-file-path": "", "batch-size": 0},
    "nvinferaudio": {"config-file-path": "", "batch-size": 0, "audio-framesize": 0},
    "nvdsanalytics": {"config-file": ""},
    "nvdspreprocess": {"config-file": "", "target-unique-ids": ""},
    "nvdsvideotemplate": {"config-file": "", "customlib-name": ""},
    "nvsegvisual": {"batch-size": 1, "alpha": 0.5, "width": 0, "height": 0},
    "nv3dsink": {"sync": True, "qos": True},
    "nveglglessink": {"sync": True, "qos": True},
    "nvrtspoutsinkbin": {"rtsp-port": 0, "rtsp-mount-point": "", "sync": True, "bitrate": 0},
    "nvmsgbrokersinkbin": {"sync": True, "topic": "", "msg-broker-conn-str": ""},
    "nvv4l2h264enc": {"bitrate": 0, "profile": 0, "iframeinterval": 0},
    "nvv4l2h265enc": {"bitrate": 0, "profile": 0, "iframeinterval": 0},
    "nvmultiurisrcbin": {
        "uri-list": "", "sensor-id-list": "", "sensor-name-list": "", "max-batch-size": 30, "width": 0, "height": 0,
        "port": "", "file-loop": False,
    },
    "nvdsdynamicsrcbin": {"gpu-id": 0},
}  # fmt: skip


def _spec(name, default):
    flags = GObject.ParamFlags.READWRITE
    if isinstance(default, bool | str):
        return (type(default), name, name, default, flags)
    bounds = (-(2**31), 2**31 - 1) if isinstance(default, int) else (-1e30, 1e30)
    return (type(default), name, name, *bounds, default, flags)


def _stand_in(factory, properties):
    sinks, sources = factory.endswith(("sink", "sinkbin")), factory.endswith("srcbin")
    templates = []
    if not sources:
        templates.append(template("sink", Gst.PadDirection.SINK))
    if not sinks:
        templates.append(template("src", Gst.PadDirection.SRC))

    def init(self):
        super(kind, self).__init__()
        self.values = dict(properties)
        for one in templates:
            self.add_pad(Gst.Pad.new_from_template(one, one.name_template))

    attributes = {
        "__gtype_name__": f"StandIn{factory}",
        "__gstmetadata__": (factory, "Generic", "Stands in", "Tests"),
        "__gsttemplates__": tuple(templates),
        "__gproperties__": {name: _spec(name, default) for name, default in properties.items()},
        "__init__": init,
        "do_get_property": lambda self, spec: self.values[spec.name],
        "do_set_property": lambda self, spec, value: self.values.__setitem__(spec.name, value),
    }
    if factory == "nvdsdynamicsrcbin":
        attributes["__gsignals__"] = {
            "add-source": (_ACTION, bool, (str, int)),
            "remove-source": (_ACTION, bool, (int,)),
            "terminate": (_ACTION, None, ()),
        }
        attributes["do_add_source"] = lambda self, uri, number: self.added.append((number, uri)) or True
        attributes["added"] = []
    kind = type(f"StandIn_{factory}", (Gst.Element,), attributes)
    return kind


def register_stand_ins():
    """Register what is missing, so that graphs can be built with it; nothing of it can play."""
    for factory, properties in STAND_INS.items():
        if Gst.ElementFactory.find(factory) is None:
            Gst.Element.register(None, factory, Gst.Rank.NONE, _stand_in(factory, properties))


def count_anew(monkeypatch):
    """Let names begin with 0 again."""
    monkeypatch.setattr(stream, "_counters", defaultdict(itertools.count))


def elements(pipeline):
    """``{name: factory}`` in the order in which they were added."""
    found = [(one.get_name(), one.get_factory().get_name()) for one in pipeline.gst.children]
    return dict(reversed(found))


def links(pipeline):
    """``[(name, name)]`` of the pads that are linked, in the order of the first."""
    made = []
    for one in reversed(pipeline.gst.children):
        for pad in one.srcpads:
            peer = pad.get_peer()
            if peer is not None:
                made.append((one.get_name(), peer.get_parent_element().get_name()))
    return made


def path(pipeline, start):
    """Factories from an element downstream to the end, following its first link."""
    following, name = dict(reversed(links(pipeline))), start
    factories = elements(pipeline)
    found = [factories[name]]
    while name in following:
        name = following[name]
        found.append(factories[name])
    return found


__all__ = ["count_anew", "elements", "links", "path", "register_stand_ins"]
