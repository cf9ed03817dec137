package client

import "net/netip"

// indexed is how many entries a table has before an index finds them faster
// than a look at each. Most clients have fewer, and no index.
const indexed = 8

// channelIndex finds channels by peer, permissionIndex permissions by address:
// places in Client.channels and Client.permissions. nil while they are few.
type (
	channelIndex    map[netip.AddrPort]uint16
	permissionIndex map[netip.Addr]uint16
)

// indexChannels makes the index anew after channels came, moved or went.
func (c *Client) indexChannels() {
	c.channelIndex = nil
	if len(c.channels) > indexed {
		c.channelIndex = make(channelIndex)
		for i := range c.channels {
			c.channelIndex[c.channels[i].peer] = uint16(i)
		}
	}
}

// indexPermissions does that for permissions.
func (c *Client) indexPermissions() {
	c.permissionIndex = nil
	if len(c.permissions) > indexed {
		c.permissionIndex = make(permissionIndex)
		for i := range c.permissions {
			c.permissionIndex[c.permissions[i].addr] = uint16(i)
		}
	}
}

// noteChannel enters the one at a place.
func (c *Client) noteChannel(i int) {
	if c.channelIndex == nil {
		c.indexChannels()
	} else {
		c.channelIndex[c.channels[i].peer] = uint16(i)
	}
}

// notePermission does that for permissions.
func (c *Client) notePermission(i int) {
	if c.permissionIndex == nil {
		c.indexPermissions()
	} else {
		c.permissionIndex[c.permissions[i].addr] = uint16(i)
	}
}

func (c *Client) channelOf(peer netip.AddrPort) (*channel, uint16) {
	if c.channelIndex != nil {
		if i, ok := c.channelIndex[peer]; ok {
			return &c.channels[i], c.numberOf(int(i))
		}
		return nil, 0
	}
	for i := range c.channels {
		if c.channels[i].peer == peer {
			return &c.channels[i], c.numberOf(i)
		}
	}
	return nil, 0
}

func (c *Client) permission(addr netip.Addr) *permission {
	if c.permissionIndex != nil {
		if i, ok := c.permissionIndex[addr]; ok {
			return &c.permissions[i]
		}
		return nil
	}
	for i := range c.permissions {
		if c.permissions[i].addr == addr {
			return &c.permissions[i]
		}
	}
	return nil
}
