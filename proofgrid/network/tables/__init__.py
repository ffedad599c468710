"""The rooms' tables; importing this module makes the metadata whole."""
