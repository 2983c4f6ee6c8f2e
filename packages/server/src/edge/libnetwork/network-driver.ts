/**
 * The engine's questions about networks and ends of them. It asks while it holds locks of its own and while an operation of
 * ours waits for it: so nothing here calls the engine, a network service or the control plane, and nothing waits for an
 * operation. All that is needed was written down before the engine was asked for anything.
 */
import type { HostPort, HostPorts, PortPlugger } from '../../orchestration/ports/host-ports.ts'
import type { Subnet } from '../../orchestration/ports/wire.ts'
import type { CallOptions } from '../../orchestration/ports/control-plane.ts'
import { isLinkLocal, normalAddress } from './ipam-driver.ts'
import { objectOf, Refusal, requiredText, textOf, type Message } from './message.ts'
import { NETWORK_OPTION } from './options.ts'

type Handler = (message: Message, o: CallOptions) => Message | Promise<Message>

const GENERIC_OPTIONS = 'com.docker.network.generic'
/** The engine numbers the interfaces of a container after it. */
const INTERFACE_PREFIX = 'eth'
/** By way of another address; the other kind is directly connected. */
const NEXT_HOP = 0

export function networkHandlers(ports: HostPorts, plugger: PortPlugger): Readonly<Record<string, Handler>> {
  const nothing = (): Message => ({})
  return {
    'NetworkDriver.GetCapabilities': () => ({ Scope: 'local', ConnectivityScope: 'local', GwAllocChecker: true }),
    'NetworkDriver.GwAllocCheck': (message) => gatewaysToSkip(ports, message),
    'NetworkDriver.CreateNetwork': (message) => {
      const generic = objectOf(objectOf(message['Options'])[GENERIC_OPTIONS])
      ports.putEngineNetwork(requiredText(message, 'NetworkID'), requiredText(generic, NETWORK_OPTION))
      return {}
    },
    'NetworkDriver.DeleteNetwork': (message) => {
      ports.forgetEngineNetwork(requiredText(message, 'NetworkID'))
      return {}
    },
    'NetworkDriver.CreateEndpoint': async (message, o) => await createEndpoint(ports, plugger, message, o),
    'NetworkDriver.EndpointOperInfo': (message) => {
      const port = ports.portOfEndpoint(requiredText(message, 'EndpointID'))
      return { Value: port === undefined ? {} : { 'neutron.port.uuid': port.portId } }
    },
    'NetworkDriver.Join': (message) => join(requirePort(ports, message), plugger),
    'NetworkDriver.Leave': nothing,
    'NetworkDriver.DeleteEndpoint': async (message, o) => {
      const endpointId = requiredText(message, 'EndpointID')
      const port = ports.portOfEndpoint(endpointId)
      // After a crash the engine takes down ends that have never come about.
      if (port !== undefined) await plugger.unplug(port, o)
      ports.forgetEndpoint(endpointId)
      return {}
    },
    'NetworkDriver.ProgramExternalConnectivity': nothing,
    'NetworkDriver.RevokeExternalConnectivity': nothing,
    'NetworkDriver.DiscoverNew': nothing,
    'NetworkDriver.DiscoverDelete': nothing,
    'NetworkDriver.AllocateNetwork': () => ({ Options: {} }),
    'NetworkDriver.FreeNetwork': nothing,
  }
}

/** So that the engine does not take an address of the subnet for a gateway that there is not. */
function gatewaysToSkip(ports: HostPorts, message: Message): Message {
  const options = objectOf(message['Options'])
  const generic = GENERIC_OPTIONS in options ? objectOf(options[GENERIC_OPTIONS]) : options
  const subnets = ports.network(textOf(generic, NETWORK_OPTION))?.subnets ?? []
  const none = (version: 4 | 6): boolean => subnets.every((s) => s.version !== version || s.gateway === null)
  return { SkipIPv4: none(4), SkipIPv6: none(6) }
}

async function createEndpoint(
  ports: HostPorts,
  plugger: PortPlugger,
  message: Message,
  o: CallOptions,
): Promise<Message> {
  const endpointId = requiredText(message, 'EndpointID')
  const wanted = objectOf(message['Interface'])
  const port = findPort(ports, requiredText(message, 'NetworkID'), wanted)
  const mac = textOf(wanted, 'MacAddress')
  if (mac !== '' && mac.toLowerCase() !== port.macAddress) {
    throw new Refusal(
      `port ${port.portId} has the MAC address ${port.macAddress}, and its packets with ${mac} are dropped`,
    )
  }
  ports.putEndpoint(endpointId, port.portId)
  try {
    await plugger.plug(port, o)
  } catch (error) {
    ports.forgetEndpoint(endpointId)
    throw error
  }
  // What the engine has said itself must not be said again.
  return { Interface: mac === '' ? { MacAddress: port.macAddress } : {} }
}

function findPort(ports: HostPorts, engineNetworkId: string, wanted: Message): HostPort {
  const addresses = ['Address', 'AddressIPv6'].flatMap((name) => {
    const text = textOf(wanted, name).split('/')[0] ?? ''
    return text === '' || isLinkLocal(text) ? [] : [normalAddress(text)]
  })
  if (addresses.length === 0) {
    throw new Refusal('addresses are given by the network service: a container needs a port of it')
  }
  const networkId = ports.networkOfEngine(engineNetworkId)
  const has = (port: HostPort, address: string): boolean =>
    port.addresses.some((fixed) => normalAddress(fixed.address) === address)
  const found = ports
    .ports()
    .find(
      (port) =>
        (networkId === undefined || port.networkId === networkId) && addresses.every((address) => has(port, address)),
    )
  if (found !== undefined) return found
  throw new Refusal(
    `no port with the address ${addresses.join(', ')} of network ${networkId ?? engineNetworkId} is known on this host`,
    404,
  )
}

function join(port: HostPort, plugger: PortPlugger): Message {
  const subnets = subnetsInUse(port)
  const gateway = (version: 4 | 6): string | undefined =>
    subnets.find((subnet) => subnet.version === version)?.gateway ?? undefined
  const [v4, v6] = [gateway(4), gateway(6)]
  return {
    InterfaceName: { SrcName: plugger.containerEnd(port.portId), DstPrefix: INTERFACE_PREFIX },
    ...(v4 === undefined ? {} : { Gateway: v4 }),
    ...(v6 === undefined || v4 === undefined ? {} : { GatewayIPv6: v6 }),
    StaticRoutes: [
      ...subnets.flatMap(({ hostRoutes = [] }) => hostRoutes),
      // Older engines look at no gateway of an interface that has none of IPv4.
      ...(v6 === undefined || v4 !== undefined ? [] : [{ destination: '::/0', nextHop: v6 }]),
    ].map(({ destination, nextHop }) => ({ Destination: destination, RouteType: NEXT_HOP, NextHop: nextHop })),
    // Otherwise the engine puts a container without a gateway on a bridge of its own, past the network service.
    DisableGatewayService: true,
  }
}

/** The engine gives an interface one address of each family: what is only reached from others would keep it from starting. */
function subnetsInUse({ addresses, subnets }: HostPort): Subnet[] {
  return ([4, 6] as const).flatMap((version) => {
    const used = addresses.find((address) => address.version === version)
    return subnets.filter(({ id }) => id === used?.subnetId)
  })
}

function requirePort(ports: HostPorts, message: Message): HostPort {
  const endpointId = requiredText(message, 'EndpointID')
  const port = ports.portOfEndpoint(endpointId)
  if (port === undefined) throw new Refusal(`endpoint ${endpointId} is not known on this host`, 404)
  return port
}
