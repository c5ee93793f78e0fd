// The `sqlite3` package as far as Directus needs it, over the SQLite that is within Node 22: the real one's binary is
// downloaded from outside npm, or compiled.
const { DatabaseSync } = require("node:sqlite");

const value = (given) => {
  if (given === undefined) return null;
  if (typeof given === "boolean") return Number(given);
  return given instanceof Date ? given.getTime() : given;
};

class Database {
  constructor(filename, flags, done) {
    this.connection = new DatabaseSync(filename, { enableDoubleQuotedStringLiterals: true });
    setImmediate(done, null);
  }

  all(sql, values, done) {
    this.#answer(done ?? values, () => [{}, this.#prepare(sql).all(...this.#values(values)).map((row) => ({ ...row }))]);
  }

  run(sql, values, done) {
    this.#answer(done ?? values, () => {
      const { lastInsertRowid, changes } = this.#prepare(sql).run(...this.#values(values));
      return [{ lastID: Number(lastInsertRowid), changes: Number(changes) }];
    });
  }

  close(done) {
    this.connection.close();
    setImmediate(done, null);
  }

  #prepare(sql) {
    return this.connection.prepare(sql);
  }

  #values(given) {
    return Array.isArray(given) ? given.map(value) : [];
  }

  #answer(done, act) {
    let answer;
    try {
      const [context, rows] = act();
      answer = () => done?.call(context, null, rows);
    } catch (error) {
      const constraint = (error.errcode & 0xff) === 19;
      if (constraint) error.message = `SQLITE_CONSTRAINT: ${error.message}`;
      error.code = constraint ? "SQLITE_CONSTRAINT" : "SQLITE_ERROR";
      answer = () => done?.call({}, error);
    }
    setImmediate(answer);
  }
}

module.exports = { Database, OPEN_READWRITE: 2, OPEN_CREATE: 4 };
