"""Tests of POHODA's XML documents."""
