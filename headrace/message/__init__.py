"""Messages: schemas, payloads and delivery to brokers."""

from headrace.message.broker import Broker, make_broker
from headrace.message.config import AnalyticsModule, MsgConvConfig, Place, Sensor
from headrace.message.converter import MessageConverter, PayloadType
from headrace.message.records import (
    Coordinate,
    EventMessage,
    EventType,
    Face,
    FrameRecord,
    Location,
    ObjectRecord,
    ObjectType,
    Person,
    Product,
    Rect,
    Vehicle,
    timestamp,
)
from headrace.message.worker import BrokerWorker, WorkerCounts

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
