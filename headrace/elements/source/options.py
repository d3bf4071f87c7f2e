"""The options of nvurisrcbin and of the sources in nvmultiurisrcbin."""

from __future__ import annotations

import dataclasses

from headrace.gst.options import option

_DECODERS = "the decoder's own"
_IPC = "there are no sources in other processes"
_SEI = "SEI messages are not read"


@dataclasses.dataclass(frozen=True)
class UriSourceOptions:
    """Options that a user sets on a source."""

    uri: str = option("", "file, http, https, rtsp, v4l2 or sim address, or a bare path")
    file_loop: bool = option(False, "start a file again when it ends; sound beside video is heard once")
    disable_audio: bool = option(True, "leave sound out; without it asrc_0 appears with the first sound")
    leaky: int = option(0, "what a full queue drops: 0 nothing, 1 new, 2 old frames", maximum=2)
    max_size_buffers: int = option(1, "frames in the queue behind the decoder")
    drop_frame_interval: int = option(0, "keep every n-th frame; 0: all", maximum=30)
    dec_skip_frames: int = option(
        0, "what is not decoded: 0 nothing, 1 frames that no other refers to, 2 all but key frames", maximum=2
    )
    low_latency_mode: bool = option(False, "decode frame by frame, without threads that are frames ahead")
    decoder_threads: int = option(
        0, "threads of the decoder; 0: the cores, shared by the pipeline's sources", maximum=64
    )
    latency: int = option(100, "jitter buffer of RTSP sources, ms")
    drop_on_latency: bool = option(True, "drop RTP packets that are later than the jitter buffer")
    buffer_mode: int = option(
        3, "clock of RTSP sources: 0 time stamps, 1 slave, 2 buffer, 3 chosen, 4 synchronised", maximum=4
    )
    udp_buffer_size: int = option(524288, "kernel buffer of RTSP sources, bytes")
    select_rtp_protocol: int = option(7, "RTSP transports: 1 UDP, 2 multicast, 4 TCP, summed", maximum=7)
    rtsp_reconnect_interval: int = option(0, "open an RTSP source again after seconds without data; 0: never")
    init_rtsp_reconnect_interval: int = option(
        0, "the same before its first data; 0: as rtsp-reconnect-interval"
    )
    rtsp_reconnect_attempts: int = option(-1, "how often in a row; -1: for ever", minimum=-1)
    smart_record: int = option(0, "keep coded data for recordings: 0 no, 1 or 2 yes", maximum=2)
    smart_rec_dir_path: str = option("", "folder of recordings; empty: where the program runs")
    smart_rec_file_prefix: str = option("Smart_Record", "how the names of recordings begin")
    smart_rec_cache: int = option(20, "seconds that are kept")
    smart_rec_video_cache: int = option(20, "old name of smart-rec-cache")
    smart_rec_container: int = option(0, "0 MP4, 1 MKV", maximum=1)
    smart_rec_mode: int = option(
        0, "0 video, and sound if disable-audio is false; 1 video, 2 sound", maximum=2
    )
    smart_rec_default_duration: int = option(20, "seconds of a recording that is given no duration")
    type: int = option(0, "kind of source", maximum=3, no_effect="seen from the address")
    source_id: int = option(-1, "number of the source", minimum=-1, no_effect="the muxer's pad counts")
    gpu_id: int = option(0, "GPU that decodes, where GStreamer's nvcodec plugin finds one")
    num_extra_surfaces: int = option(1, "extra decoder surfaces", no_effect=_DECODERS)
    cudadec_memtype: int = option(0, "decoder memory", maximum=2, no_effect=_DECODERS)
    disable_passthrough: bool = option(False, "always convert", no_effect="frames are shared until written")
    extract_sei_type5_data: bool = option(False, "SEI messages", no_effect=_SEI)
    sei_uuid: str = option("", "which SEI messages", no_effect=_SEI)
    simulate_fps_interval_ms: int = option(0, "slow down, ms a frame", maximum=1000, no_effect="for tests")
    ipc_socket_path: str = option("", "socket of another process", no_effect=_IPC)
    ipc_connection_attempts: int = option(-1, "tries", minimum=-1, no_effect=_IPC)
    ipc_connection_interval: int = option(1_000_000, "between them, µs", kind="uint64", no_effect=_IPC)
    ipc_buffer_timestamp_copy: bool = option(False, "keep times", no_effect=_IPC)
