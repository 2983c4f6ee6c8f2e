import { containers } from './001-containers.ts'
import { identity } from './002-identity.ts'
import { streamTicket } from './003-stream-ticket.ts'
import { disposal } from './004-disposal.ts'
import { deployment } from './005-deployment.ts'
import { sumsAndAddresses } from './006-sums-and-addresses.ts'
import { usage } from './007-usage.ts'
import { quota } from './008-quota.ts'
import { registry } from './009-registry.ts'
import { failures } from './010-failures.ts'
import { capsule } from './011-capsule.ts'
import { allocation } from './012-allocation.ts'
import { history } from './013-history.ts'
import { event } from './014-event.ts'
import { advance } from './017-advance.ts'
import { leftoverPort } from './018-leftover-port.ts'
import { leftMount } from './019-left-mount.ts'
import { leftProvider } from './020-left-provider.ts'
import { portOfBinding } from './021-port-of-binding.ts'
import { idempotency } from './015-idempotency.ts'
import { hostAddress } from './016-host-address.ts'

/** In order; a released one is never edited, only followed. */
export const MIGRATIONS: readonly { readonly name: string; readonly statements: readonly string[] }[] = [
  { name: '001-containers', statements: containers },
  { name: '002-identity', statements: identity },
  { name: '003-stream-ticket', statements: streamTicket },
  { name: '004-disposal', statements: disposal },
  { name: '005-deployment', statements: deployment },
  { name: '006-sums-and-addresses', statements: sumsAndAddresses },
  { name: '007-usage', statements: usage },
  { name: '008-quota', statements: quota },
  { name: '009-registry', statements: registry },
  { name: '010-failures', statements: failures },
  { name: '011-capsule', statements: capsule },
  { name: '012-allocation', statements: allocation },
  { name: '013-history', statements: history },
  { name: '014-event', statements: event },
  { name: '015-idempotency', statements: idempotency },
  { name: '016-host-address', statements: hostAddress },
  { name: '017-advance', statements: advance },
  { name: '018-leftover-port', statements: leftoverPort },
  { name: '019-left-mount', statements: leftMount },
  { name: '020-left-provider', statements: leftProvider },
  { name: '021-port-of-binding', statements: portOfBinding },
]
