"""What the device can do: one YAML pack and one module a skill.

`api` is the door: a request with resolved values goes in, an outcome with a reply key and changes comes out.
"""
