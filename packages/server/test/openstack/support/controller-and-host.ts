/** A controller and one host of it, as processes of their own in a region of the cloud. */
import { hostname } from 'node:os'
import { closeAll } from '../../support/close-all.ts'
import { RoleDeployment } from '../../support/role-deployment.ts'
import type { RoleProcess } from '../../support/role-process.ts'
import { cloudGroups } from './cloud-conf.ts'
import { forgetHost } from './cloud-stage.ts'
import type { CloudUser } from './cloud-user.ts'
import { Region } from './region.ts'

export interface ControllerAndHost {
  readonly on: RoleDeployment
  readonly region: Region
  readonly controller: RoleProcess
  readonly host: RoleProcess
  close(): Promise<void>
}

/** `downTimeS`: [DEFAULT] service_down_time. */
export async function controllerAndHost(
  admin: CloudUser,
  { downTimeS }: { readonly downTimeS: number },
): Promise<ControllerAndHost> {
  await forgetHost(admin)
  const on = await RoleDeployment.make()
  const region = await Region.open(admin, `zund-${on.apiPort}`)
  const cloud = cloudGroups({ authUrl: region.authUrl, region: region.name })
  const controller = on.role('api', on.configure('in-a-cloud', { ...cloud, DEFAULT: { service_down_time: downTimeS } }))
  const host = (await on.host(hostname(), { conf: cloud })).process
  const close = async (): Promise<void> =>
    await closeAll(
      () => on.destroy(),
      () => forgetHost(admin),
      () => region.close(),
    )
  try {
    await Promise.all([controller.start(), host.start()])
    await host.says(/ working /)
  } catch (error) {
    await close()
    throw error
  }
  return { on, region, controller, host, close }
}
