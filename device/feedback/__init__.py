"""What a device may tell the factory, if its owner agrees: redaction, weak labels, reports. Nothing is sent."""
