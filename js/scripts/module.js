// Copies the module to where the package looks for it. It is committed once, in
// wasm/.
import { copyFileSync } from 'node:fs'

copyFileSync(new URL('../../wasm/turn.wasm', import.meta.url), new URL('../turn.wasm', import.meta.url))
