"""Messages: schemas, payloads and delivery to brokers."""

from headrace.message.broker import Broker, make_broker
from headrace.message.config import AnalyticsModule, MsgConvConfig, Place, Sensor
from headrace.message.converter import MessageConverter, PayloadType
from headrace.message.records import FrameRecord, ObjectRecord
from headrace.message.worker import BrokerWorker, WorkerCounts
from headrace.meta.event import (
    Coordinate,
    EventMessage,
    EventType,
    Face,
    Location,
    ObjectType,
    Person,
    Product,
    Rect,
    Vehicle,
    timestamp,
)

__all__ = [
    "AnalyticsModule",
    "Broker",
    "BrokerWorker",
    "Coordinate",
    "EventMessage",
    "EventType",
    "Face",
    "FrameRecord",
    "Location",
    "MessageConverter",
    "MsgConvConfig",
    "ObjectRecord",
    "ObjectType",
    "PayloadType",
    "Person",
    "Place",
    "Product",
    "Rect",
    "Sensor",
    "Vehicle",
    "WorkerCounts",
    "make_broker",
    "timestamp",
]
