/** Records of the stand-ins for Neutron and Cinder, and what hosts have to remove of them. Part of the store (store.ts). */
import type { Scope } from './query.ts'
import type { Disposal, MountData } from './wire.ts'

/** A network of the built-in network service (no Neutron). `uuid` is also the engine network's name. */
export interface LocalNetwork {
  readonly uuid: string
  readonly name: string
  readonly projectId: string
  readonly isDefault: boolean
  readonly cidrV4: string
  readonly gatewayV4: string
  readonly subnetV4: string
  readonly cidrV6: string | null
  readonly gatewayV6: string | null
  readonly subnetV6: string | null
  readonly createdAtMs: number
  /** Hosts are removing it; it takes no new ports, and its subnets are not given to another one yet. */
  readonly deleting: boolean
  /** Offset in its subnets at which a free address is looked for first; 0: none was given yet. */
  readonly nextHost: number
}

export type NewLocalNetwork = Omit<LocalNetwork, 'createdAtMs' | 'deleting' | 'nextHost'>

export interface LocalNetworkReads {
  byUuid(uuid: string, scope: Scope): Promise<LocalNetwork | undefined>
  /** Without those being deleted. */
  byName(name: string, scope: Scope): Promise<LocalNetwork[]>
  list(scope: Scope): Promise<LocalNetwork[]>
  isAddressReserved(networkUuid: string, address: string): Promise<boolean>
  /** Addresses in use, any version. */
  addresses(networkUuid: string): Promise<string[]>
  /** CIDRs (v4 and v6) of all networks of all projects. */
  usedCidrs(): Promise<string[]>
}

export interface LocalNetworkWrites extends LocalNetworkReads {
  /** Conflict when the CIDR is taken, or the project has a default network already and `isDefault` is true. */
  insert(network: NewLocalNetwork): Promise<LocalNetwork>
  /** Conflict `port-in-use` when the address is taken. */
  reserveAddress(networkUuid: string, address: string, portUuid: string): Promise<void>
  setNextHost(uuid: string, nextHost: number): Promise<void>
  /** It is no project's default network from then on. */
  markDeleting(uuid: string): Promise<boolean>
  remove(uuid: string): Promise<boolean>
}

/** A volume of the built-in volume service (no Cinder). */
export interface LocalVolume {
  readonly uuid: string
  readonly name: string | null
  readonly projectId: string
  readonly userId: string
  readonly sizeGiB: number
  /** Host that holds the data; null until first attached. */
  readonly host: string | null
  readonly autoRemove: boolean
  readonly createdAtMs: number
  /** Its host is removing the data; nothing can use it. */
  readonly deleting: boolean
}

export type NewLocalVolume = Omit<LocalVolume, 'createdAtMs' | 'deleting'>

export interface LocalVolumeReads {
  byUuid(uuid: string, scope: Scope): Promise<LocalVolume | undefined>
  /** Without those being deleted. */
  byName(name: string, scope: Scope): Promise<LocalVolume[]>
  list(scope: Scope): Promise<LocalVolume[]>
  /** Container uuids that have it mounted or planned. */
  users(volumeUuid: string): Promise<string[]>
}

export interface LocalVolumeWrites extends LocalVolumeReads {
  insert(volume: NewLocalVolume): Promise<LocalVolume>
  setHost(uuid: string, host: string): Promise<boolean>
  markDeleting(uuid: string): Promise<boolean>
  remove(uuid: string): Promise<boolean>
}

/** What hosts still have to remove. */
export interface DisposalReads {
  onHost(host: string): Promise<Disposal[]>
  /** Hosts that have not removed it yet. */
  hostsOf(uuid: string): Promise<string[]>
  /** Of the cloud's block storage, left on hosts that have been removed for good. */
  mountsOfLostHosts(): Promise<LostMount[]>
}

export interface LostMount {
  readonly uuid: string
  readonly host: string
  readonly mount: MountData
}

export interface DisposalWrites extends DisposalReads {
  insert(disposal: Disposal, host: string): Promise<void>
  /** False when there is no such row. */
  remove(uuid: string, host: string): Promise<boolean>
}
