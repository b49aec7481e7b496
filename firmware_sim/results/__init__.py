"""What people see of scenarios that were played: a timeline, a live table, a page with sound, JUnit's XML.

All of them are made of `scenario.played.Played`; nothing here plays anything.
"""
