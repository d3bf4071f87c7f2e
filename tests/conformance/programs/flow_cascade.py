"""Detector, tracker and two classifiers, built-in probes, then a file and nothing at all, side by side."""

import sys

from pyservicemaker import BatchMetadataOperator, Flow, Pipeline, Probe, RenderMode
from pyservicemaker.logging import get_logger

DS = "/opt/nvidia/deepstream/deepstream"
APPS = f"{DS}/sources/apps/sample_apps"
logger = get_logger("cascade")


class Attributes(BatchMetadataOperator):
    def handle_metadata(self, batch_meta):
        for frame_meta in batch_meta.frame_items:
            for object_meta in frame_meta.object_items:
                for classifier_meta in object_meta.classifier_items:
                    for i in range(classifier_meta.n_labels):
                        logger.info("id %d is %s", object_meta.object_id, classifier_meta.get_n_label(i))


def main(source_config, output):
    flow = Flow(Pipeline("cascade")).batch_capture(source_config, width=960, height=544)
    flow = flow.infer(f"{APPS}/deepstream-test2/dstest2_pgie_config.yml", unique_id=1)
    flow = flow.track(
        ll_config_file=f"{DS}/samples/configs/deepstream-app/config_tracker_NvDCF_perf.yml",
        ll_lib_file=f"{DS}/lib/libnvds_nvmultiobjecttracker.so",
    )
    flow = flow.infer(config=f"{APPS}/deepstream-test2/dstest2_sgie1_config.yml")
    flow = flow.infer(config=f"{APPS}/deepstream-test2/dstest2_sgie2_config.yml")
    flow = flow.attach(what=Probe("attributes", Attributes()))
    flow = flow.attach(what="sample_video_probe", name="counter", properties={"font-size": 15})
    flow = flow.attach(what="measure_fps_probe", name="fps", properties={"interval": 1}).fork()
    flow = flow.render(mode=RenderMode.DISCARD, enable_osd=False)
    flow = flow.encode(dest=output, use_sw_codec=1, bitrate=1000000)
    flow()


if __name__ == "__main__":
    main(*sys.argv[1:])
