/** Networks of Neutron on a host. */
import { flag, option, text, whole } from '../kinds.ts'

/** Names of drivers that the engine has itself; a plugin of such a name would never be asked. */
const ENGINES_OWN = ['bridge', 'host', 'ipvlan', 'macvlan', 'none', 'null', 'overlay', 'default']

export const NETWORK_OPTIONS = {
  networkDriverName: option('string', (value: string) => {
    if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,63}$/.test(value)) throw new Error('it is not the name of a plugin')
    if (ENGINES_OWN.includes(value)) throw new Error('it is the name of a driver that the engine has itself')
    return value
  })('network', 'driver_name', {
    fallback: 'kuryr',
    help: "Name of the network plugin with the engine, and of its socket in /run/docker/plugins. The engine's networks keep it.",
  }),
  ovsBridge: text('neutron', 'ovs_bridge', {
    fallback: 'br-int',
    help: 'Integration bridge of Open vSwitch, where a port does not name another.',
  }),
  portActiveTimeoutS: whole(0, 3_600)('zund', 'port_active_timeout', {
    fallback: '20',
    help:
      'Seconds a container that starts waits for Neutron to show its plugged ports as ACTIVE: before, security groups may not hold, ' +
      'and packets may be lost. 0: it starts at once.',
  }),
  portActiveRequired: flag('zund', 'port_active_required', {
    fallback: 'false',
    help:
      'A container whose ports are not ACTIVE in that time is not started, and neither is one while Neutron is away. Without it, it ' +
      'is started and the log has a warning.',
  }),
} as const
