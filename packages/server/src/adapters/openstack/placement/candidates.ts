import type { AllocationCandidates, CandidateQuery } from '../../../app/ports/allocation-candidates.ts'
import { messageOf } from '../../../domain/errors.ts'
import type { Logger } from '../../../orchestration/ports/clock.ts'
import type { CallOptions } from '../../../orchestration/ports/control-plane.ts'
import { resourcesFor } from './amounts.ts'
import { DISABLED_TRAIT, type PlacementClaims } from './claims.ts'
import type { PlacementClient } from './client.ts'

export interface CandidateOptions {
  readonly client: PlacementClient
  readonly claims: PlacementClaims
  readonly log: Logger
  readonly maxResults: number
}

export class PlacementCandidates implements AllocationCandidates {
  readonly #options: CandidateOptions

  constructor(options: CandidateOptions) {
    this.#options = options
  }

  async find(query: CandidateQuery, { signal }: CallOptions): Promise<ReadonlySet<string> | undefined> {
    const { client, claims, log, maxResults } = this.#options
    const resources = Object.entries(resourcesFor(query)).map(([name, amount]) => `${name}:${amount}`)
    try {
      // One that is not known could not be forbidden.
      await claims.ensureTrait(signal)
      return await client.candidates(
        {
          ...(query.provider === null ? {} : { in_tree: query.provider }),
          limit: maxResults,
          required: `!${DISABLED_TRAIT}`,
          resources: resources.toSorted().join(','),
        },
        signal,
      )
    } catch (error) {
      signal.throwIfAborted()
      log.warn({ requestId: query.requestId, reason: messageOf(error) }, 'the placement service could not be asked')
      return undefined
    }
  }
}
