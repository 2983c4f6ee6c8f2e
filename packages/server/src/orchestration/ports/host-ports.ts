/**
 * What a host knows of the ports that are plugged here, so that the engine's questions about them are answered at once,
 * without a network service, a control plane or the engine itself being asked. Adapter: adapters/network/sql-host-ports.
 *
 * Whatever is put in is on the disk when the call returns, since the engine remembers what it is told for longer than
 * this process lives.
 */
import type { CallOptions } from './control-plane.ts'
import type { Plug, Subnet } from './wire.ts'

export interface HostPort {
  readonly portId: string
  readonly networkId: string
  readonly containerUuid: string
  readonly macAddress: string
  readonly mtu: number
  readonly addresses: readonly { readonly address: string; readonly version: 4 | 6; readonly subnetId: string }[]
  /** Of the addresses. */
  readonly subnets: readonly Subnet[]
  readonly plug: Plug
}

export interface HostNetwork {
  readonly networkId: string
  readonly subnets: readonly Subnet[]
}

/** Reads and writes are short and wait for nobody: they are calls, not promises. */
export interface HostPorts {
  putNetwork(network: HostNetwork): void
  network(networkId: string): HostNetwork | undefined
  networks(): HostNetwork[]
  forgetNetwork(networkId: string): void

  /** The engine has a network of its own id for it. */
  putEngineNetwork(engineId: string, networkId: string): void
  networkOfEngine(engineId: string): string | undefined
  forgetEngineNetwork(engineId: string): void

  /** Replaces what was known under the port's id. */
  putPort(port: HostPort): void
  port(portId: string): HostPort | undefined
  ports(): HostPort[]
  /** With the endpoints it has. */
  forgetPort(portId: string): void

  /** The engine has an end of its own id for it, which takes the place of an earlier one: that one it may take down late. */
  putEndpoint(endpointId: string, portId: string): void
  portOfEndpoint(endpointId: string): HostPort | undefined
  forgetEndpoint(endpointId: string): void
}

/** Puts ports into the switch of the host and takes them out of it. */
export interface PortPlugger {
  /**
   * For the container that starts now: takes the pair of interfaces that was plugged ahead, or makes it anew and puts the
   * host's end where the port wants it. Afterwards the other end is there, by the name `containerEnd` gives. What cannot be
   * finished leaves nothing. SystemFault says what went wrong.
   */
  plug(port: HostPort, o: CallOptions): Promise<void>
  /**
   * For a container that will start, so that the network service can do its part before. False: there is a pair in use, which
   * is left alone.
   */
  plugAhead(port: HostPort, o: CallOptions): Promise<boolean>
  /** Whether there is a pair of it that is in no switch: one that was not plugged ahead, maybe in an earlier life. */
  isKeptOut(port: HostPort, o: CallOptions): Promise<boolean>
  /** Whether the rules of its security groups are in the kernel, where they go by its interface. */
  hasFilters(port: HostPort, o: CallOptions): Promise<boolean>
  /** Puts what is kept out into its switch. What has gone meanwhile, or is there already, is left alone. */
  join(port: HostPort, o: CallOptions): Promise<void>
  /** Gone already is a success. */
  unplug(port: Pick<HostPort, 'portId' | 'networkId' | 'plug'>, o: CallOptions): Promise<void>
  containerEnd(portId: string): string
}
