"""The things that scenes are made of: heads, dress, vessels, trees, ships …"""
