"""The commands of the simulator: `homebody simulate` in its three ways (scenarios, the gadget page, a fleet)."""
