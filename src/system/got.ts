/** The only file that imports got. It takes about 100 ms to load, so its users load it when they need it. */
export { got, MaxRedirectsError, ReadError, type Request } from 'got'
