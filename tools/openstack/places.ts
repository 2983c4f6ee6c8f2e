/** Where things are, and what they are called. All of it is inside of the cloud's own namespaces. */
import { basename, join } from 'node:path'

export const REGION = 'RegionOne'

/** The two machines, on a cable between them. The first has the services and is a compute host as well. */
export const NODES = [
  { name: 'node-1', address: '192.0.2.1' },
  { name: 'node-2', address: '192.0.2.2' },
] as const

export type NodeName = (typeof NODES)[number]['name']

export const CONTROLLER = NODES[0]

/** The ports that everybody knows. */
export const URLS = {
  identity: `http://${CONTROLLER.address}:5000`,
  image: `http://${CONTROLLER.address}:9292`,
  network: `http://${CONTROLLER.address}:9696`,
  placement: `http://${CONTROLLER.address}:8778`,
  volume: `http://${CONTROLLER.address}:8776`,
  orchestration: `http://${CONTROLLER.address}:8004`,
  container: `http://${CONTROLLER.address}:9517`,
} as const

export const TRANSPORT_URL = `rabbit://guest:guest@${CONTROLLER.address}:5672/`

export const NFS_EXPORT = { host: CONTROLLER.address, path: '/export' } as const

/** Nobody outside can reach this cloud: its secrets need not be any. */
export function passwordOf(user: string): string {
  return `${user}-pass`
}

/** Directories of one cloud. */
export class Places {
  readonly root: string

  constructor(root: string) {
    this.root = root
  }

  etc(name: string): string {
    return join(this.root, 'etc', name)
  }

  log(name: string): string {
    return join(this.root, 'log', `${name}.log`)
  }

  /** How a program was started, and its pid as the processes of the cloud see it. */
  daemon(name: string): string {
    return this.data('daemons', `${name}.json`)
  }

  data(...names: readonly string[]): string {
    return join(this.root, 'data', ...names)
  }

  /** Above those of all containers of its engines. */
  get controlGroup(): string {
    return basename(this.root) === 'openstack' ? 'zund-openstack' : basename(this.root)
  }

  /** For openstack(1), SDKs and tests. */
  get cloudsYaml(): string {
    return join(this.root, 'clouds.yaml')
  }

  get databaseSocket(): string {
    return this.data('mariadb.sock')
  }

  /** Of the node's container engine. */
  engineSocket(node: NodeName): string {
    return join(this.root, `${node}.docker.sock`)
  }

  /** In it the pid of a node's first process stands, as the processes of the cloud see it. */
  pidFile(node: NodeName): string {
    return join(this.root, `${node}.pid`)
  }
}
