/** Compiles before the tests start, as tests that run side by side must not compile at the same time. */
import { packageRoot } from '../../src/system/version.js'
import { buildPage, bundle, compile } from './compile.js'

compile(packageRoot)
bundle(packageRoot)
buildPage(packageRoot)
