/** For the rejection of a listener: an Error that names the flag and what to do. */
export function cannotListen(flag: string, address: string): (error: Error) => never {
  return ({ message }) => {
    const why = message.includes('EADDRINUSE') ? 'another program listens there' : message;
    throw new Error(`${flag} ${address} cannot be had: ${why}; end that program, or name another port`);
  };
}
