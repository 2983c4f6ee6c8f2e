import { join } from 'node:path'
import type { ApiClient } from '../support/api-client.ts'
import { ZundProcess, type ZundOptions } from '../support/zund-process.ts'

/** Where tests of the client run: a service, and what is around it. */
export interface ClientPlace {
  readonly zund: ZundProcess
  /** Path of the clouds.yaml, and the names of both users in it. */
  readonly cloudsYaml: string
  readonly clouds: { readonly demo: string; readonly admin: string }
  /** The service as these two see it: for waiting, not for what is tested. */
  readonly demo: ApiClient
  readonly admin: ApiClient
  readonly imageDriver: 'docker' | 'glance'
  /** An image that has the tools of a shell, with the options of a create that it needs. */
  readonly busybox: string
  /** As a row shows those of a container for which no network was named. */
  readonly usualAddresses: RegExp
  /** Makes a network of demo's with addresses of both kinds; answers its uuid. */
  network(name: string): Promise<string>
  close(): Promise<void>
}

/** A service with users, networks and volumes of its own, and the client set up as `zund up` tells people to. */
export async function localPlace(options: ZundOptions): Promise<ClientPlace> {
  const zund = await ZundProcess.start(options)
  const demo = await zund.client('zund')
  return {
    zund,
    cloudsYaml: join(zund.stateDir, 'clouds.yaml'),
    clouds: { demo: 'zund', admin: 'zund-admin' },
    demo,
    admin: await zund.client('zund-admin'),
    imageDriver: 'docker',
    // It is on the engine; no registry is in reach.
    busybox: '--image-driver docker --image-pull-policy never busybox',
    usualAddresses: /^10\.[0-9.]+, fd00:[0-9a-f:]+$/,
    network: async (name) => {
      const made = await demo.expect<{ uuid: string }>(201, 'POST', '/v1/local/networks', { body: { name } })
      return made.uuid
    },
    close: async () => zund.destroy(),
  }
}
