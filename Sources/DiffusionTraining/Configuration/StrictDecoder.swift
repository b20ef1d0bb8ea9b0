/// Decodes a tree strictly: a key that the type does not ask for is refused with the nearest one that it does, and a
/// value of the wrong kind is told with its path and what was expected. Keys are in snake case.
struct StrictDecoder: Decoder {
  let value: JSONValue
  let codingPath: [any CodingKey]
  let asked = AskedKeys()
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  /// The keys that a type asked for, declared ones that are absent included.
  final class AskedKeys {
    var names: Set<String> = []
  }

  /// `value` as a `Value`.
  static func decode<Value: Decodable>(
    _ type: Value.Type, from value: JSONValue, at path: [any CodingKey] = []
  ) throws -> Value {
    if let simple = try primitive(type, value, path) { return simple }
    let decoder = StrictDecoder(value: value, codingPath: path)
    let result: Value
    do {
      result = try Value(from: decoder)
    } catch DecodingError.dataCorrupted(let context) {
      guard let cases = caseNames(of: type) else {
        throw ConfigurationFault(path: context.codingPath, problem: context.debugDescription)
      }
      throw ConfigurationFault(
        path: path, problem: "expected one of \(cases), found \(value.kind)")
    }
    if case .object(let members) = value, !decoder.asked.names.isEmpty {
      let declared = decoder.asked.names
      for key in members.keys.sorted() where !declared.contains(key) {
        throw ConfigurationFault(path: path, unknown: key, declared: declared)
      }
    }
    return result
  }

  private static func primitive<Value>(
    _ type: Value.Type, _ value: JSONValue, _ path: [any CodingKey]
  ) throws -> Value? {
    func wrong(_ expected: String) -> ConfigurationFault {
      ConfigurationFault(path: path, problem: "expected \(expected), found \(value.kind)")
    }
    if type == Bool.self {
      guard case .bool(let found) = value else { throw wrong("true or false") }
      return found as? Value
    }
    if type == String.self {
      guard case .string(let found) = value else { throw wrong("a text") }
      return found as? Value
    }
    if type == Double.self || type == Float.self {
      let found: Double
      switch value {
      case .integer(let integer): found = Double(integer)
      case .number(let number): found = number
      default: throw wrong("a number")
      }
      return type == Double.self ? found as? Value : Float(found) as? Value
    }
    if let integers = type as? any FixedWidthInteger.Type {
      guard case .integer(let found) = value else { throw wrong("an integer") }
      guard let exact = exactly(found, integers) as? Value else {
        throw wrong("an integer of \(integers.min) to \(integers.max)")
      }
      return exact
    }
    return nil
  }

  private static func exactly<Value: FixedWidthInteger>(
    _ integer: Int, _ type: Value.Type
  ) -> Value? {
    Value(exactly: integer)
  }

  /// The texts of an enumeration of texts.
  private static func caseNames<Value>(of type: Value.Type) -> String? {
    func names<Cases: CaseIterable>(_ type: Cases.Type) -> [String] {
      type.allCases.compactMap { ($0 as? any RawRepresentable)?.rawValue as? String }
    }
    guard let cases = type as? any CaseIterable.Type else { return nil }
    let all = names(cases)
    return all.isEmpty ? nil : all.map { "\"\($0)\"" }.joined(separator: ", ")
  }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    guard case .object(let members) = value else {
      throw ConfigurationFault(
        path: codingPath, problem: "expected an object, found \(value.kind)")
    }
    return KeyedDecodingContainer(
      StrictKeyedContainer(members: members, codingPath: codingPath, asked: asked))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    guard case .array(let elements) = value else {
      throw ConfigurationFault(path: codingPath, problem: "expected a list, found \(value.kind)")
    }
    return StrictListContainer(elements: elements, codingPath: codingPath)
  }

  func singleValueContainer() throws -> any SingleValueDecodingContainer {
    StrictSingleContainer(value: value, codingPath: codingPath)
  }
}

private struct StrictKeyedContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let members: [String: JSONValue]
  let codingPath: [any CodingKey]
  let asked: StrictDecoder.AskedKeys

  var allKeys: [Key] {
    asked.names.formUnion(members.keys)
    return members.keys.sorted().compactMap(Key.init(stringValue:))
  }

  private func member(_ key: Key) -> JSONValue? {
    let name = key.stringValue.snakeCased
    asked.names.insert(name)
    return members[name]
  }

  private func present(_ key: Key) throws -> JSONValue {
    guard let value = member(key) else {
      throw ConfigurationFault(
        path: codingPath, problem: "the key \"\(key.stringValue.snakeCased)\" is missing")
    }
    return value
  }

  func contains(_ key: Key) -> Bool { member(key) != nil }
  func decodeNil(forKey key: Key) throws -> Bool { try present(key) == .null }

  func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
    try StrictDecoder.decode(type, from: present(key), at: codingPath + [key])
  }

  func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type, forKey key: Key
  ) throws -> KeyedDecodingContainer<Nested> {
    try decoder(key).container(keyedBy: type)
  }

  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
    try decoder(key).unkeyedContainer()
  }

  private func decoder(_ key: Key) throws -> StrictDecoder {
    StrictDecoder(value: try present(key), codingPath: codingPath + [key])
  }

  func superDecoder() throws -> any Decoder {
    StrictDecoder(value: .object(members), codingPath: codingPath)
  }

  func superDecoder(forKey key: Key) throws -> any Decoder { try decoder(key) }
}

private struct StrictListContainer: UnkeyedDecodingContainer {
  let elements: [JSONValue]
  let codingPath: [any CodingKey]
  var currentIndex = 0
  var count: Int? { elements.count }
  var isAtEnd: Bool { currentIndex >= elements.count }

  private struct Index: CodingKey {
    let intValue: Int?
    var stringValue: String { "\(intValue ?? 0)" }
    init(_ index: Int) { intValue = index }
    init?(intValue: Int) { self.init(intValue) }
    init?(stringValue: String) { return nil }
  }

  private mutating func next() throws -> StrictDecoder {
    guard !isAtEnd else {
      throw ConfigurationFault(
        path: codingPath, problem: "expected more than \(elements.count) elements")
    }
    defer { currentIndex += 1 }
    return StrictDecoder(
      value: elements[currentIndex], codingPath: codingPath + [Index(currentIndex)])
  }

  mutating func decodeNil() throws -> Bool {
    guard !isAtEnd, elements[currentIndex] == .null else { return false }
    currentIndex += 1
    return true
  }

  mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
    let decoder = try next()
    return try StrictDecoder.decode(type, from: decoder.value, at: decoder.codingPath)
  }

  mutating func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type
  ) throws -> KeyedDecodingContainer<Nested> {
    try next().container(keyedBy: type)
  }

  mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
    try next().unkeyedContainer()
  }

  mutating func superDecoder() throws -> any Decoder { try next() }
}

private struct StrictSingleContainer: SingleValueDecodingContainer {
  let value: JSONValue
  let codingPath: [any CodingKey]

  func decodeNil() -> Bool { value == .null }

  func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
    try StrictDecoder.decode(type, from: value, at: codingPath)
  }
}
