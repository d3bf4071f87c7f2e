import pytest

KEYFILE = """\
[sensor0]
enable=1
type=Camera
id=dock-cam-07
location=59.33;18.06;12.0
description="Loading dock, north side"
coordinate=1.5;0.0;4.2

[place0]
enable=1
id=bay-3
type=warehouse
name=Hall B
location=59.34;18.07;11.0
coordinate=7.0;8.0;0.5
place-sub-field1=gate-2
place-sub-field2=left
place-sub-field3=ground

[analytics0]
enable=1
id=count-1
description="Truck counting"
source=in-house
version=0.4
"""


@pytest.fixture
def keyfile(tmp_path):
    path = tmp_path / "msgconv.txt"
    path.write_text(KEYFILE)
    return path
