"""The common part of bins whose parts are made anew whenever they leave NULL."""

from __future__ import annotations

from gi.repository import Gst

from headrace.elements.base.nvmm_output import NvmmOutput
from headrace.elements.base.parts import chain, make
from headrace.gst.face import USER_ERRORS, Face


class Built(Face, Gst.Bin):
    """Face of a chain of elements between the pads ``sink`` and ``src``, of which there may be only one.

    A subclass implements `build`; only then are options known, and an element that is missing is an error message
    instead of one less in the pipeline. A source pad whose template says ``memory:NVMM`` gives plain frames that name.
    """

    def __init__(self) -> None:
        super().__init__()
        for pad_template in self.__gsttemplates__:
            name = pad_template.name_template
            self.add_pad(Gst.GhostPad.new_no_target_from_template(name, pad_template))
        self.nvmm: NvmmOutput | None = None
        self.parts: list[Gst.Element] = []
        if self.get_static_pad("src") is None:
            # A pipeline asks its elements whether they are sinks when they are added to it.
            self._put([make("fakesink")])

    def build(self) -> list[Gst.Element]:
        """Make the elements, in order, as the options say.

        Raises:
            HeadraceError: Something is missing or cannot be used.
        """
        raise NotImplementedError

    def do_change_state(self, transition: Gst.StateChange) -> Gst.StateChangeReturn:
        """GStreamer vmethod: builds."""
        try:
            if transition == Gst.StateChange.NULL_TO_READY:
                self._put(self.build())
        except USER_ERRORS as error:
            self.post_error(error)
            return Gst.StateChangeReturn.FAILURE
        result = Gst.Bin.do_change_state(self, transition)
        if transition == Gst.StateChange.READY_TO_NULL:
            self.close()
        return result

    def close(self) -> None:
        """Hook: the run has ended; give up what `build` took that is no element."""

    def _put(self, parts: list[Gst.Element]) -> None:
        for old in self.parts:
            old.set_state(Gst.State.NULL)
            self.remove(old)
        self.parts = parts
        chain(self, *parts)
        sink, src = self.get_static_pad("sink"), self.get_static_pad("src")
        if sink is not None:
            sink.set_target(parts[0].get_static_pad("sink"))
        if src is not None:
            if self.nvmm is None and "NVMM" in src.get_pad_template_caps().to_string():
                self.nvmm = NvmmOutput(self, src)
            src.set_target(parts[-1].get_static_pad("src"))


def caps_filter(caps: str) -> Gst.Element:
    """An element that lets only these caps through."""
    return make("capsfilter", None, {"caps": Gst.Caps.from_string(caps)})
