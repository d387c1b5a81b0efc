"""Evaluation of networks: metrics, calibration, comparison, robustness and feature map."""
