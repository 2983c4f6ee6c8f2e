import type { Kysely } from 'kysely'
import type { Store, StoreReads, Tx } from '../../orchestration/ports/store.ts'
import type { SqlDatabase } from './database.ts'
import { AdvanceRepo } from './repos/advances.ts'
import { BindingRepo } from './repos/bindings.ts'
import { ContainerRepo } from './repos/containers.ts'
import { DisposalRepo } from './repos/disposals.ts'
import { EventRepo } from './repos/event-log.ts'
import { HistoryRepo } from './repos/history.ts'
import { HostRepo } from './repos/hosts.ts'
import { IdempotencyRepo } from './repos/idempotency.ts'
import { ImageRepo } from './repos/images.ts'
import { LocalNetworkRepo } from './repos/local-networks.ts'
import { LocalVolumeRepo } from './repos/local-volumes.ts'
import { LeftProviderRepo } from './repos/left-providers.ts'
import { LeftoverPortRepo } from './repos/leftover-ports.ts'
import { OperationRepo } from './repos/operations.ts'
import { QuotaRepo } from './repos/quotas.ts'
import { RegistryRepo } from './repos/registries.ts'
import type { Schema } from './schema.ts'

/** The store over one SQL database. */
export class SqlStore implements Store {
  readonly containers: StoreReads['containers']
  readonly operations: StoreReads['operations']
  readonly bindings: StoreReads['bindings']
  readonly hosts: StoreReads['hosts']
  readonly images: StoreReads['images']
  readonly networks: StoreReads['networks']
  readonly volumes: StoreReads['volumes']
  readonly disposals: StoreReads['disposals']
  readonly quotas: StoreReads['quotas']
  readonly registries: StoreReads['registries']
  readonly history: StoreReads['history']
  readonly events: StoreReads['events']
  readonly idempotency: StoreReads['idempotency']
  readonly advances: StoreReads['advances']
  readonly leftoverPorts: StoreReads['leftoverPorts']
  readonly leftProviders: StoreReads['leftProviders']
  readonly #database: SqlDatabase
  readonly #onEvents: () => void
  #tx: SqlTx | undefined

  /** `onEvents`: events have been committed. */
  constructor(database: SqlDatabase, options: { readonly onEvents?: () => void } = {}) {
    this.#database = database
    this.#onEvents = options.onEvents ?? (() => undefined)
    const reads = reposOn(database.read)
    this.containers = reads.containers
    this.operations = reads.operations
    this.bindings = reads.bindings
    this.hosts = reads.hosts
    this.images = reads.images
    this.networks = reads.networks
    this.volumes = reads.volumes
    this.disposals = reads.disposals
    this.quotas = reads.quotas
    this.registries = reads.registries
    this.history = reads.history
    this.events = reads.events
    this.idempotency = reads.idempotency
    this.advances = reads.advances
    this.leftoverPorts = reads.leftoverPorts
    this.leftProviders = reads.leftProviders
  }

  async write<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    let hasEvents = false
    const result = await this.#database.write(async (trx) => {
      // The write handle is always the same one, so the repositories over it can be kept.
      const tx = (this.#tx ??= reposOn(trx))
      const before = tx.events.added
      const value = await work(tx)
      hasEvents = tx.events.added > before
      return value
    })
    if (hasEvents) this.#onEvents()
    return result
  }

  async close(): Promise<void> {
    await this.#database.close()
  }
}

interface SqlTx extends Tx {
  readonly events: EventRepo
}

function reposOn(db: Kysely<Schema>): SqlTx {
  const events = new EventRepo(db)
  return {
    events,
    containers: new ContainerRepo(db, events),
    operations: new OperationRepo(db, events),
    bindings: new BindingRepo(db),
    hosts: new HostRepo(db),
    images: new ImageRepo(db, events),
    networks: new LocalNetworkRepo(db),
    volumes: new LocalVolumeRepo(db),
    disposals: new DisposalRepo(db),
    quotas: new QuotaRepo(db),
    registries: new RegistryRepo(db),
    history: new HistoryRepo(db),
    idempotency: new IdempotencyRepo(db),
    advances: new AdvanceRepo(db),
    leftoverPorts: new LeftoverPortRepo(db),
    leftProviders: new LeftProviderRepo(db),
  }
}
