import { OpenStackSession } from '../../src/adapters/openstack/session.ts'
import { systemClock } from '../../src/lib/system-clock.ts'
import { account } from '../openstack/support/accounts.ts'
import { quietLog } from './quiet-log.ts'

/** Logged in as the service under test. To be closed. */
export function cloudSession(): OpenStackSession {
  const { authUrl, username, password, project, region } = account('zun')
  const access = { interface: 'public' as const, region }
  const domain = { id: 'default', name: null }
  return new OpenStackSession({
    authUrl,
    credentials: {
      kind: 'password',
      userId: null,
      userName: username,
      userDomain: domain,
      password,
      scope: { kind: 'project', id: null, name: project, domain },
    },
    tls: { current: { insecure: false } },
    // Tests of the service as a whole have regions of their own in the catalogue.
    services: { image: access, network: access, volumev3: access, placement: access },
    timeoutMs: 60_000,
    clock: systemClock,
    log: quietLog,
  })
}
