/**
 * Whose networks containers are put on. Adapters: app/networks/local-planner (the built-in service), and
 * adapters/network/neutron-planner. Everything is looked up before a request is accepted and nothing is made: that is done
 * by the container's host, afterwards.
 */
import type { Tx } from '../../orchestration/ports/store.ts'
import type { Binding } from '../../orchestration/ports/wire.ts'
import type { NetworkPlace } from './host-gateway.ts'

/** On whose behalf is asked: with their own token, so that they are told of no more than they may see. */
export interface Asker {
  readonly token: string
  /** Of the container, which an admin's request may name in another project than their own. */
  readonly projectId: string
  readonly requestId: string
  readonly signal: AbortSignal
}

/** One entry of a request's `nets`: a port or a network; neither means the default network. */
export interface NetRequest {
  readonly network: string | null
  readonly port: string | null
  readonly ipv4: string | null
  readonly ipv6: string | null
}

export interface NetworksRequest {
  /** None: the default network. */
  readonly nets: readonly NetRequest[]
  /** Ids. */
  readonly securityGroups: readonly string[]
  /** `80/tcp` */
  readonly openPorts: readonly string[]
}

export interface NetworkPlan {
  /** External networks that are not shared, which not everybody may use. */
  readonly external: readonly string[]
  /** The ports, in the transaction that accepts the request: what can only be told there is checked there. */
  bindings(tx: Tx, o: { readonly containerUuid: string; readonly firstOrder: number }): Promise<Binding[]>
}

export interface NetworkPlanner {
  /**
   * NotFound `network-not-found`, `port-not-found`; Conflict when a name is that of several, or there is no network at all;
   * InvalidInput `port-not-usable`, `port-in-use`, `port-binding-failed`; Unavailable.
   */
  plan(asker: Asker, request: NetworksRequest): Promise<NetworkPlan>
  /** Their ids, each once. InvalidInput when there is none, Conflict when there are several of a name. */
  securityGroups(asker: Asker, idents: readonly string[]): Promise<string[]>
  /** The same of one that a container is to be given, or to lose. InvalidInput, too, where groups cannot be changed. */
  groupToChange(asker: Asker, ident: string): Promise<string>
  /** One by its id, of any project: for admins, who make it on a host before it is needed. */
  placeOf(asker: Asker, networkId: string): Promise<NetworkPlace | undefined>
}
