/** Options of the engine's networks, as upstream's plugin has them: networks that it made are used on. */
export const NETWORK_OPTION = 'neutron.net.uuid'
export const SUBNET_OPTION = 'neutron.subnet.uuid'
export const SUBNET_V6_OPTION = 'neutron.subnet.v6.uuid'
