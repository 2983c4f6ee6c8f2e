import type { Host } from '@zund/contract/api/admin.ts'
import { hostEndpoints } from '@zund/contract/api/endpoints/admin.ts'
import { listHosts, showHost, type HostState, type ReadHostsDeps } from '../../../../app/hosts/read-hosts.ts'
import type { AppOptions } from '../../../../app/options.ts'
import { nextUrl, pageOf } from '../../paging.ts'
import { route, type Route } from '../../route.ts'

/** The machines that containers run on (admin-resources 2). */
export function hostRoutes(deps: ReadHostsDeps & { readonly options: Pick<AppOptions, 'maxPageSize'> }): Route[] {
  const endpoints = hostEndpoints(deps.options)
  return [
    route(endpoints.listHosts, async ({ ctx, args, query, baseUrl }) => {
      const page = pageOf(args, deps.options.maxPageSize, 'hostname')
      const hosts = await listHosts(deps, ctx, page)
      const uuids = hosts.map((host) => host.uuid)
      return {
        body: {
          hosts: hosts.map((host) => hostView(host, baseUrl)),
          next: nextUrl(baseUrl, 'hosts', page, query, uuids),
        },
      }
    }),
    route(endpoints.showHost, async ({ ctx, params, baseUrl }) => ({
      body: hostView(await showHost(deps, ctx, params['ident'] ?? ''), baseUrl),
    })),
  ]
}

function hostView({ uuid, hostname, has, used }: HostState, baseUrl: string): Host {
  return {
    uuid,
    hostname,
    mem_total: has.memTotalMiB,
    mem_used: used.memoryMiB,
    cpus: has.cpus,
    cpu_used: used.cpu,
    disk_total: has.diskTotalGiB,
    disk_used: used.diskGiB,
    disk_quota_supported: has.diskQuotaSupported,
    total_containers: has.totalContainers,
    architecture: has.architecture,
    os_type: has.osType,
    os: has.os,
    kernel_version: has.kernelVersion,
    labels: has.labels,
    runtimes: has.runtimes,
    enable_cpu_pinning: has.enableCpuPinning,
    links: [
      { href: `${baseUrl}/v1/hosts/${uuid}`, rel: 'self' },
      { href: `${baseUrl}/hosts/${uuid}`, rel: 'bookmark' },
    ],
  }
}
