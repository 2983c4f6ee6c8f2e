import type { OpenStack, OpenStackCall } from '../call.ts'
import { OpenStackUnreachable } from '../errors.ts'
import { isRecord, numberIn, recordIn, recordsIn, textIn, textsIn, type JsonRecord } from '../json.ts'

export interface Provider {
  readonly uuid: string
  readonly name: string
}

export interface Inventories {
  readonly generation: number
  /** By resource class, as Placement has them. */
  readonly inventories: Readonly<Record<string, JsonRecord>>
}

export type Resources = Readonly<Record<string, number>>

export interface Consumer {
  /** By provider; empty: it holds nothing. */
  readonly allocations: Readonly<Record<string, Resources>>
  /** null: Placement does not know it. */
  readonly generation: number | null
  readonly projectId: string
  readonly userId: string
}

export interface NewAllocations {
  readonly allocations: Readonly<Record<string, Resources>>
  readonly projectId: string
  readonly userId: string
  readonly generation: number | null
}

interface Asked extends Pick<OpenStackCall, 'query' | 'body'> {
  readonly signal: AbortSignal
}

/** Milliseconds; nothing waits for Placement for long. */
const TIMEOUT_MS = 10_000

/** The calls of Placement's API, each at the version that has what it needs. */
export class PlacementClient {
  readonly #cloud: OpenStack

  constructor(cloud: OpenStack) {
    this.#cloud = cloud
  }

  async providersInTree(uuid: string, signal: AbortSignal): Promise<Provider[]> {
    return providersIn(await this.#ask('GET', '/resource_providers', '1.14', { query: { in_tree: uuid }, signal }))
  }

  async providerByName(name: string, signal: AbortSignal): Promise<Provider | undefined> {
    const body = await this.#ask('GET', '/resource_providers', '1.14', { query: { name }, signal })
    return providersIn(body).find((provider) => provider.name === name)
  }

  async createProvider({ uuid, name }: Provider, signal: AbortSignal): Promise<void> {
    await this.#ask('POST', '/resource_providers', '1.20', { body: { uuid, name }, signal })
  }

  async deleteProvider(uuid: string, signal: AbortSignal): Promise<void> {
    await this.#ask('DELETE', at(uuid), '1.14', { signal })
  }

  async inventories(uuid: string, signal: AbortSignal): Promise<Inventories> {
    const body = await this.#ask('GET', `${at(uuid)}/inventories`, '1.26', { signal })
    const found = Object.entries(recordIn(body, 'inventories')).filter((entry): entry is [string, JsonRecord] =>
      isRecord(entry[1]),
    )
    return { generation: generationIn(body), inventories: Object.fromEntries(found) }
  }

  async putInventories(uuid: string, { generation, inventories }: Inventories, signal: AbortSignal): Promise<void> {
    const body = { resource_provider_generation: generation, inventories }
    await this.#ask('PUT', `${at(uuid)}/inventories`, '1.26', { body, signal })
  }

  async traits(uuid: string, signal: AbortSignal): Promise<{ generation: number; traits: readonly string[] }> {
    const body = await this.#ask('GET', `${at(uuid)}/traits`, '1.6', { signal })
    return { generation: generationIn(body), traits: textsIn(body, 'traits') }
  }

  async putTraits(uuid: string, generation: number, traits: readonly string[], signal: AbortSignal): Promise<void> {
    const body = { resource_provider_generation: generation, traits }
    await this.#ask('PUT', `${at(uuid)}/traits`, '1.6', { body, signal })
  }

  async ensureTrait(name: string, signal: AbortSignal): Promise<void> {
    const body = await this.#ask('GET', '/traits', '1.6', { query: { name: `in:${name}` }, signal })
    if (!textsIn(body, 'traits').includes(name)) await this.#ask('PUT', `/traits/${name}`, '1.6', { signal })
  }

  async consumer(uuid: string, signal: AbortSignal): Promise<Consumer> {
    const body = await this.#ask('GET', `/allocations/${encodeURIComponent(uuid)}`, '1.28', { signal })
    return {
      allocations: resourcesBy(recordIn(body, 'allocations')),
      generation: numberIn(body, 'consumer_generation') ?? null,
      projectId: textIn(body, 'project_id') ?? '',
      userId: textIn(body, 'user_id') ?? '',
    }
  }

  async putConsumer(uuid: string, wanted: NewAllocations, signal: AbortSignal): Promise<void> {
    const allocations = Object.fromEntries(
      Object.entries(wanted.allocations).map(([provider, resources]) => [provider, { resources }]),
    )
    const body = {
      allocations,
      project_id: wanted.projectId,
      user_id: wanted.userId,
      consumer_generation: wanted.generation,
    }
    await this.#ask('PUT', `/allocations/${encodeURIComponent(uuid)}`, '1.31', { body, signal })
  }

  /** By consumer. */
  async allocationsOn(uuid: string, signal: AbortSignal): Promise<Readonly<Record<string, Resources>>> {
    const body = await this.#ask('GET', `${at(uuid)}/allocations`, '1.28', { signal })
    return resourcesBy(recordIn(body, 'allocations'))
  }

  /** Uuids of the providers that have room. */
  async candidates(query: NonNullable<OpenStackCall['query']>, signal: AbortSignal): Promise<Set<string>> {
    const body = await this.#ask('GET', '/allocation_candidates', '1.31', { query, signal })
    return new Set(recordsIn(body, 'allocation_requests').flatMap((one) => Object.keys(recordIn(one, 'allocations'))))
  }

  async #ask(
    method: 'GET' | 'PUT' | 'POST' | 'DELETE',
    path: string,
    microversion: string,
    asked: Asked,
  ): Promise<unknown> {
    const call = { service: 'placement', method, path, microversion, timeoutMs: TIMEOUT_MS, ...asked } as const
    return (await this.#cloud.json(call)).body
  }
}

function at(provider: string): string {
  return `/resource_providers/${encodeURIComponent(provider)}`
}

function providersIn(body: unknown): Provider[] {
  return recordsIn(body, 'resource_providers').flatMap((one): Provider[] => {
    const [uuid, name] = [textIn(one, 'uuid'), textIn(one, 'name')]
    return uuid === undefined || name === undefined ? [] : [{ uuid, name }]
  })
}

function generationIn(body: unknown): number {
  const generation = numberIn(body, 'resource_provider_generation')
  if (generation === undefined) throw new OpenStackUnreachable('placement', 'gave an answer without a generation')
  return generation
}

function resourcesBy(record: JsonRecord): Record<string, Resources> {
  const found = Object.entries(record).map(([key, value]): [string, Resources] => {
    const amounts = Object.entries(recordIn(value, 'resources')).filter(
      (entry): entry is [string, number] => typeof entry[1] === 'number',
    )
    return [key, Object.fromEntries(amounts)]
  })
  return Object.fromEntries(found)
}
