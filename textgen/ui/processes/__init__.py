"""Trainings and races as processes of their own, known by their folders."""
