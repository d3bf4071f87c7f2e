"""The common part of decoders: chosen when the stream says what it is."""

from __future__ import annotations

from gi.repository import Gst

from headrace.elements.base.caps import BATCH_CAPS, NVMM
from headrace.elements.base.nvmm_output import NvmmOutput
from headrace.elements.base.parts import chain, make, remedy
from headrace.elements.source.gpu_decoder import gpu_decoding_parts, stays_on_device
from headrace.elements.source.threads import decoder_threads
from headrace.errors import PipelineError
from headrace.gst.face import Face
from headrace.gst.structures import structure_of

#: Format to an element whose package decodes it, for the error.
_SUGGESTED = {"image/jpeg": "jpegdec"}
#: What comes out: the formats that models and overlays read without a detour.
DECODED_CAPS = BATCH_CAPS.intersect(Gst.Caps.from_string(f"video/x-raw({NVMM}),format={{I420,NV12,GRAY8}}"))


class Decoder(Face, Gst.Bin):
    """Face of the best decoder for the stream that comes; what comes out is called `memory:NVMM`.

    That is the GPU's (option ``gpu_id``) where GStreamer's nvcodec plugin has one for the stream, and its frames stay
    in the GPU's memory; otherwise the highest ranked software decoder. Frames go from C to C; Python is asked when
    caps change.

    Attributes:
        decoder: The decoder, once a stream has said what it is.
    """

    def __init__(self) -> None:
        super().__init__()
        self.decoder: Gst.Element | None = None
        self.parts: list[Gst.Element] = []
        self.sink_pad = Gst.GhostPad.new_no_target_from_template("sink", self.template("sink"))
        self.src_pad = Gst.GhostPad.new_no_target_from_template("src", self.template("src"))
        event, query = self.guarded(self._event, False), self.guarded(self._query, False)
        self.sink_pad.set_event_function_full(lambda pad, _parent, subject: bool(event(pad, subject)))
        self.sink_pad.set_query_function_full(lambda pad, _parent, subject: bool(query(pad, subject)))
        self.output = NvmmOutput(self, self.src_pad)
        self.add_pad(self.sink_pad)
        self.add_pad(self.src_pad)

    def _event(self, pad: Gst.Pad, event: Gst.Event) -> bool:
        if event.type == Gst.EventType.CAPS:
            self._decode(event.parse_caps())
        return bool(pad.event_default(self, event))

    def _query(self, pad: Gst.Pad, query: Gst.Query) -> bool:
        """Any format may come, also after another."""
        coded = pad.get_pad_template_caps()
        if query.type == Gst.QueryType.CAPS:
            wanted = query.parse_caps()
            query.set_caps_result(coded if wanted is None else wanted.intersect(coded))
            return True
        if query.type == Gst.QueryType.ACCEPT_CAPS:
            query.set_accept_caps_result(query.parse_accept_caps().is_subset(coded))
            return True
        return bool(pad.query_default(self, query))

    def _decode(self, caps: Gst.Caps) -> None:
        """Have a decoder for a stream with these caps."""
        self.output.takes_cuda = stays_on_device(caps)
        if self.parts:
            if self.parts[0].get_factory().can_sink_all_caps(caps):
                return
            self._remove_parts()
        coded = gpu_decoding_parts(caps, self.options.gpu_id) or [make(decoder_for(caps), "decoder")]
        self.decoder = coded[-1]
        if self.decoder.find_property("max-threads") is not None:
            self.decoder.set_property("max-threads", decoder_threads(self))
        # Brings what is not handled here (4:2:2, 10 bit) into a format that is; passes all others untouched.
        self.parts = [*coded, make("videoconvert", "convert")]
        chain(self, *self.parts)
        entry = self.parts[0].get_static_pad("sink")
        self.set_up(self.decoder, entry, caps)
        self.src_pad.set_target(self.parts[-1].get_static_pad("src"))
        for part in reversed(self.parts):
            part.sync_state_with_parent()
        self.sink_pad.set_target(entry)

    def _remove_parts(self) -> None:
        for pad in (self.sink_pad, self.src_pad):
            pad.set_target(None)
        for part in self.parts:
            part.set_state(Gst.State.NULL)
            self.remove(part)
        self.parts = []

    def set_up(self, decoder: Gst.Element, entry: Gst.Pad, caps: Gst.Caps) -> None:
        """Hook: a decoder has been made for a stream with these caps, which comes in at a pad."""


def decoder_for(caps: Gst.Caps) -> str:
    """Factory name of the highest ranked software decoder for a stream.

    Raises:
        PipelineError: None is installed.
    """
    kind = Gst.ELEMENT_FACTORY_TYPE_DECODER | Gst.ELEMENT_FACTORY_TYPE_MEDIA_IMAGE
    kind |= Gst.ELEMENT_FACTORY_TYPE_MEDIA_VIDEO
    known = Gst.ElementFactory.list_get_elements(kind, Gst.Rank.MARGINAL)
    for factory in sorted(known, key=Gst.PluginFeature.get_rank, reverse=True):
        own = factory.get_name().startswith("nv")  # and those of the nvcodec plugin, which are asked before
        if not own and "Hardware" not in factory.get_metadata("klass") and factory.can_sink_all_caps(caps):
            return str(factory.get_name())
    name = structure_of(caps, 0).get_name()
    suggested = _SUGGESTED.get(name, "avdec_h264")
    raise PipelineError(f"no decoder for {name} is installed; {remedy(suggested)}")
