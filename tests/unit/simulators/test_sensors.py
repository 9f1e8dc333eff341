"""Sensors: lag, noise, resolution, saturation, and the ways they fail."""

from __future__ import annotations

import math
from random import Random
from statistics import fmean, pstdev

import pytest

from simulators.sensors import PIPE_TEMP, Sensor, SensorFaults, SensorSpec, quantise

QUIET = SensorSpec(sigma=0.0, quantum=0.001)


def readings(sensor: Sensor, faults: SensorFaults, count: int = 2000) -> list[float]:
    """Many readings; none may be missing."""
    values = [sensor.read(faults) for _ in range(count)]
    return [value for value in values if value is not None]


def test_lag_of_twenty_seconds_has_done_63_percent_after_twenty_seconds() -> None:
    sensor = Sensor(SensorSpec(sigma=0.0, quantum=0.001, tau=20.0), Random(1))
    sensor.follow(10.0, 5.0)
    for _ in range(4):
        sensor.follow(20.0, 5.0)
    assert sensor.read() == pytest.approx(20 - 10 / math.e, abs=0.001)


def test_readings_are_multiples_of_the_quantum_without_binary_dust() -> None:
    assert quantise(0.30000000000000004, 0.1) == 0.3
    assert quantise(7.26, 0.1) == 7.3
    assert quantise(54.6, 1.0) == 55.0


def test_noise_has_the_sigma_of_the_make() -> None:
    sensor = Sensor(SensorSpec(sigma=0.5, quantum=0.001), Random(2))
    sensor.follow(50.0, 1.0)
    values = readings(sensor, SensorFaults())
    assert pstdev(values) == pytest.approx(0.5, rel=0.1)
    assert fmean(values) == pytest.approx(50.0, abs=0.05)


def test_relative_noise_is_a_share_of_the_value() -> None:
    sensor = Sensor(SensorSpec(sigma=0.01, quantum=0.001, relative=True), Random(3))
    sensor.follow(200.0, 1.0)
    assert pstdev(readings(sensor, SensorFaults())) == pytest.approx(2.0, rel=0.1)


def test_commissioning_bias_stays_within_its_half_width_and_differs_between_sensors() -> None:
    biases = set()
    for seed in range(50):
        sensor = Sensor(SensorSpec(sigma=0.0, quantum=0.001, bias=0.3), Random(seed))
        sensor.follow(20.0, 1.0)
        value = sensor.read()
        assert value is not None
        assert abs(value - 20.0) <= 0.3
        biases.add(value)
    assert len(biases) > 40


def test_sensor_saturates_at_the_ends_of_its_range() -> None:
    sensor = Sensor(SensorSpec(sigma=0.0, quantum=1.0, low=0.0, high=100.0), Random(1))
    sensor.follow(103.0, 1.0)
    assert sensor.read() == 100.0


def test_stuck_sensor_holds_its_last_reading_and_comes_back() -> None:
    sensor = Sensor(QUIET, Random(1))
    sensor.follow(20.0, 1.0)
    sensor.read()
    sensor.follow(30.0, 1.0)
    assert sensor.read(SensorFaults(stuck=True)) == 20.0
    assert sensor.read() == 30.0


def test_dropped_out_sensor_says_nothing() -> None:
    sensor = Sensor(QUIET, Random(1))
    sensor.follow(20.0, 1.0)
    assert sensor.read(SensorFaults(dropout=True)) is None


def test_added_bias_and_noise() -> None:
    sensor = Sensor(PIPE_TEMP, Random(4))
    sensor.follow(20.0, 1.0)
    sound = readings(sensor, SensorFaults())
    assert fmean(readings(sensor, SensorFaults(bias=6.0))) - fmean(sound) == pytest.approx(6.0, abs=0.05)
    assert pstdev(readings(sensor, SensorFaults(noise=10.0))) == pytest.approx(0.5, rel=0.1)
