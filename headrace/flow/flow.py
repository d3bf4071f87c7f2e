"""Flow: pipelines as chains of methods, one for each stage (contract §10)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from headrace.flow.objects.operators import BufferProvider, BufferRetriever
from headrace.flow.objects.signals import SourceManager
from headrace.flow.pipeline import Pipeline
from headrace.flow.playing.events import OnMessage
from headrace.flow.source_config import RecordConfig
from headrace.flow.stages import analysis, capture, encode, exchange, render
from headrace.flow.stages.building import attach_to_streams, each, end_each
from headrace.flow.stream import (
    MediaType,
    RenderMode,
    StreamInfo,
    as_stream,
    element_properties,
)

Paths = str | os.PathLike[str]
Media = MediaType | str | Iterable[MediaType | str]
Self = TypeVar("Self", bound="Flow")


class Flow:
    """Streams that have come so far through a pipeline; each method adds a stage and returns where they are then.

    `render`, `encode`, `publish` and `retrieve` end a branch: what they return is the flow as it was before them, so
    that the next branch of a `fork` can follow.

    Elements are named ``<method>-<part>-<counter>``. Keyword arguments without a meaning of their own are
    properties of the stage's main element, with ``_`` for ``-``.

    Args:
        pipeline: Where elements are added.
        streams: Streams to go on with: `StreamInfo` or names of elements.
        parent: The flow they come from; its batch size holds on.

    Example:
        >>> flow = Flow(Pipeline("example")).batch_capture(["sim://plaza?frames=5"], width=320, height=240)
        >>> flow.render(RenderMode.DISCARD)()
    """

    def __init__(
        self,
        pipeline: Pipeline,
        streams: Sequence[StreamInfo | str] | None = None,
        parent: Flow | None = None,
    ) -> None:
        self._pipeline = pipeline
        self._streams = list(streams or ())
        self._parent = parent
        #: Frames in a batch; 0 before the streams are batched.
        self.batch_size: int = parent.batch_size if parent is not None else 0

    @property
    def pipeline(self) -> Pipeline:
        """The pipeline that is being built."""
        return self._pipeline

    @property
    def streams(self) -> list[StreamInfo]:
        """The streams."""
        return [as_stream(stream) for stream in self._streams]

    def derive(self: Self, streams: Sequence[StreamInfo | str], batch_size: int | None = None) -> Self:
        """A flow of other streams that goes on from this one."""
        flow = type(self)(self._pipeline, streams=streams, parent=self)
        if batch_size is not None:
            flow.batch_size = batch_size
        return flow

    def __call__(self, on_message: OnMessage | None = None) -> None:
        """Play the pipeline until it ends.

        Args:
            on_message: Called for each message of the pipeline, on its thread.
        """
        self._pipeline.start(on_message).wait()

    def capture(
        self: Self,
        inputs: Sequence[Paths] | Paths,
        source_manager: SourceManager | None = None,
        media_types: Media = MediaType.VIDEO,
        **properties: Any,
    ) -> Self:
        """Sources, each a stream of its own.

        Args:
            inputs: Addresses, or paths of files.
            source_manager: Gets the addresses instead, to play them one after the other as one stream
                (``nvdsdynamicsrcbin``); more can be added to it later.
            media_types: What is taken of each source.
            **properties: Of each source.

        Raises:
            SourceError: A file does not exist.
        """
        return capture.capture(self, inputs, source_manager, media_types, element_properties(properties))

    def batch_capture(
        self: Self,
        input: Sequence[Paths] | Paths,
        record_config: RecordConfig | None = None,
        media_types: Media = MediaType.VIDEO,
        **properties: Any,
    ) -> Self:
        """Sources and their muxer.

        Args:
            input: Addresses or paths of files, or one YAML file with ``source-list`` or ``camera-list`` and
                ``source-config``; then the elements of sources are named by their ``sensor-id``.
            record_config: How sources are recorded.
            media_types: What is taken of each source.
            **properties: ``width``, ``height``, ``batch_size``, ``batched_push_timeout``, ``buffer_pool_size``,
                ``drop_pipeline_eos``, ``live_source`` and ``compute_hw`` of the muxer, ``file_loop`` of the sources,
                ``gpu_id`` of both; others are ignored.

        Raises:
            TypeError: The input is neither a list nor a YAML file.
            SourceError: A file does not exist.
            ConfigError: The YAML file cannot be used.
        """
        return capture.batch_capture(self, input, record_config, media_types, element_properties(properties))

    def batch(self: Self, **properties: Any) -> Self:
        """A muxer for streams that have none yet.

        Raises:
            PipelineError: They are batched already, or there are none.
        """
        return capture.batch(self, element_properties(properties))

    def decode(self: Self, **properties: Any) -> Self:
        """A decoder for each stream."""
        return capture.decode(self, element_properties(properties))

    def inject(self: Self, providers: Sequence[BufferProvider], **properties: Any) -> Self:
        """A stream from each object that makes buffers.

        Args:
            providers: Each says what it makes by its attributes: ``format`` (RGB, RGBA, I420, JPEG, PNG), ``width``,
                ``height``, ``framerate`` and perhaps ``device``; for sound ``format`` (such as S16LE), ``sample_rate``
                and ``channels``.
            **properties: Of each ``appsrc``.

        Raises:
            ConfigError: A provider does not say what it makes.
        """
        return exchange.inject(self, providers, element_properties(properties))

    def retrieve(self: Self, retriever: BufferRetriever, **properties: Any) -> Self:
        """Hand the frames, in RGB, to user code.

        Args:
            retriever: Its `consume` is called for each batch.
            **properties: Of the ``appsink``.

        Raises:
            PipelineError: There are several streams that are not batched.
        """
        return exchange.retrieve(self, retriever, element_properties(properties))

    def infer(self: Self, config: Paths, with_triton: bool = False, **properties: Any) -> Self:
        """A model.

        Args:
            config: Its configuration file.
            with_triton: Whether the file is for a Triton server (``nvinferserver``).
            **properties: Of the element, such as ``unique_id``; ``batch_size`` is the flow's by default.
        """
        return analysis.infer(self, config, with_triton, element_properties(properties))

    def track(self: Self, **properties: Any) -> Self:
        """A tracker; ``ll_config_file`` and ``ll_lib_file`` choose which."""
        return each(self, "track", "nvtracker", "tracker", element_properties(properties))

    def analyze(self: Self, config: Paths, **properties: Any) -> Self:
        """Lines, zones and crowds (``nvdsanalytics``).

        Raises:
            FileNotFoundError: There is no such configuration file.
        """
        return analysis.analyze(self, config, element_properties(properties))

    def preprocess(
        self: Self,
        config_file: Paths,
        tensor_generator: Callable[[int], Mapping[str, Any]] | None = None,
        **properties: Any,
    ) -> Self:
        """Tensors for a model that takes its input from metadata.

        Args:
            config_file: Of ``nvdspreprocess``.
            tensor_generator: Called with the number of frames of each batch; gives more tensors by name, which go with
                the batch.
            **properties: Of ``nvdspreprocess``.
        """
        return analysis.preprocess(self, config_file, tensor_generator, element_properties(properties))

    def apply(
        self: Self,
        template_config: Paths | None = None,
        template_lib: Paths | None = None,
        **properties: Any,
    ) -> Self:
        """An algorithm of the user's own in ``nvdsvideotemplate``."""
        return analysis.apply(self, template_config, template_lib, element_properties(properties))

    def attach(
        self: Self, what: Any, name: str = "", tips: str = "", properties: Mapping[str, Any] | None = None
    ) -> Self:
        """Attach a probe, or a built-in object by its name, to where the streams come from.

        Args:
            what: The object or its name.
            name: What a built-in object is called.
            tips: Pad or signals.
            properties: Of a built-in object.
        """
        attach_to_streams(self, what, name, tips, properties)
        return self.derive(self._streams)

    def fork(self: Self) -> Self:
        """Several branches: every method that is called on the returned flow begins one."""
        return each(self, "fork", "tee", "tee", {}, template="src_%u")

    def select(self: Self, media_type: MediaType | str | None = None, originator: str | None = None) -> Self:
        """Only the streams of this kind, or of this element."""
        return self.derive([
            stream
            for stream in self.streams
            if media_type in (None, stream.media_type) and originator in (None, stream.originator)
        ])  # fmt: skip

    def publish(self: Self, **properties: Any) -> Self:
        """Messages to a broker."""
        properties = {"sync": False, **element_properties(properties)}
        return end_each(self, "publish", lambda _stream: [("nvmsgbrokersinkbin", "sink", properties)])

    def render(
        self: Self,
        mode: RenderMode = RenderMode.DISPLAY,
        enable_osd: bool = True,
        rtsp_mount_point: str = "ds-test5",
        rtsp_port: int = 8554,
        seg_mask_config: Mapping[str, Any] | None = None,
        **properties: Any,
    ) -> Self:
        """Show, throw away or serve the streams.

        Args:
            mode: Which of these.
            enable_osd: Whether boxes and texts are drawn.
            rtsp_mount_point: Path of the served stream.
            rtsp_port: Port of the server.
            seg_mask_config: Properties of ``nvsegvisual``, which colours segmentation classes.
            **properties: Of the sink; ``width`` and ``height`` of the tiled picture; ``audio_sink``, an element.
        """
        server = {"rtsp-mount-point": "/" + rtsp_mount_point.lstrip("/"), "rtsp-port": rtsp_port}
        return render.render(self, mode, enable_osd, server, seg_mask_config, element_properties(properties))

    def encode(
        self: Self, dest: Paths, use_sw_codec: bool = False, enable_osd: bool = True, **options: Any
    ) -> Self:
        """Write or send the encoded streams.

        Args:
            dest: File ``.mp4``, ``.mov``, ``.mjpg``, ``.jpg`` or ``.wav``; ``udp://localhost:port``;
                ``rtsp://localhost:port``, served under ``/ds-test``. A ``%d`` in the name of a ``.jpg`` gives a file
                for each frame, otherwise the last one stays.
            use_sw_codec: Whether to encode with x264, x265 or libaom.
            enable_osd: Whether boxes and texts are drawn.
            **options: ``codec_type`` h264, h265 or av1; ``bitrate`` in bit/s; ``profile``; ``iframeinterval``
                in frames; ``sync`` of the sink.

        Raises:
            TypeError: The destination is of another kind, or an option is unknown.
        """
        return encode.encode(self, dest, bool(use_sw_codec), enable_osd, encode.EncodeOptions.make(options))
