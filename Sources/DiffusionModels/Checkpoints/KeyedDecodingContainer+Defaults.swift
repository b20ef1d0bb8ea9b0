extension KeyedDecodingContainer {
  /// Sets `value` to what is under `key`, where there is something but `null`: configurations declare their defaults.
  func read<Value: Decodable>(_ key: Key, _ value: inout Value) throws {
    if let found = try decodeIfPresent(Value.self, forKey: key) { value = found }
  }

  /// Sets `value` to what is under `key`, `nil` for `null`, where the key is there.
  func readOptional<Value: Decodable>(_ key: Key, _ value: inout Value?) throws {
    if contains(key) { value = try decodeIfPresent(Value.self, forKey: key) }
  }

  /// Sets `values` to what is under `key`: a list of `count` or one value for all of them.
  func readPerLevel<Value: Decodable>(
    _ key: Key, _ values: inout [Value], count: Int
  ) throws {
    guard contains(key), try !decodeNil(forKey: key) else { return }
    if let one = try? decode(Value.self, forKey: key) {
      values = Array(repeating: one, count: count)
      return
    }
    values = try decode([Value].self, forKey: key)
    if values.count != count {
      throw DecodingError.dataCorruptedError(
        forKey: key, in: self,
        debugDescription: "expected one value or \(count), one a level, found \(values.count)")
    }
  }
}
