extension SolverOptions {
  /// An option's value: how it is read from text, written as text and checked.
  struct Field {
    /// What it may be, in a few words.
    let expected: String
    /// The value as text; nil where it is not given.
    let text: (SolverOptions) -> String?
    /// Sets it from text; answers whether the text is of its kind.
    let read: (String, inout SolverOptions) -> Bool
    /// The value as text, where it is out of range.
    let problem: (SolverOptions) -> String?

    /// A number of a range.
    static func number(
      _ path: WritableKeyPath<SolverOptions, Double?>, _ range: ClosedRange<Double>
    ) -> Field {
      let isOpen = range.upperBound == .greatestFiniteMagnitude
      return Field(
        expected: isOpen
          ? "a number of \(short(range.lowerBound)) or more"
          : "\(short(range.lowerBound)) to \(short(range.upperBound))",
        text: { $0[keyPath: path].map { "\($0)" } }, read: reader(path) { Double($0) },
        problem: { options in
          options[keyPath: path].flatMap { range.contains($0) ? nil : "\($0)" }
        })
    }

    /// A finite number above 0.
    static func positive(_ path: WritableKeyPath<SolverOptions, Double?>) -> Field {
      Field(
        expected: "a number above 0", text: { $0[keyPath: path].map { "\($0)" } },
        read: reader(path) { Double($0) },
        problem: { options in
          options[keyPath: path].flatMap { $0 > 0 && $0.isFinite ? nil : "\($0)" }
        })
    }

    /// A whole number of a range.
    static func integer(
      _ path: WritableKeyPath<SolverOptions, Int?>, from low: Int, to high: Int = .max
    ) -> Field {
      Field(
        expected: high == .max ? "a whole number of \(low) or more" : "\(low) to \(high)",
        text: { $0[keyPath: path].map { "\($0)" } }, read: reader(path) { Int($0) },
        problem: { options in
          options[keyPath: path].flatMap { (low...high).contains($0) ? nil : "\($0)" }
        })
    }

    /// One of a few words.
    static func word<Value: RawRepresentable & CaseIterable>(
      _ path: WritableKeyPath<SolverOptions, Value?>
    ) -> Field where Value.RawValue == String {
      let words = Value.allCases.map(\.rawValue)
      return Field(
        expected: words.joined(separator: " or "), text: { $0[keyPath: path]?.rawValue },
        read: reader(path) { Value(rawValue: $0) }, problem: { _ in nil })
    }

    /// Numbers of steps, with commas between.
    static func steps(_ path: WritableKeyPath<SolverOptions, [Int]?>) -> Field {
      Field(
        expected: "numbers of steps such as 0,1",
        text: { $0[keyPath: path]?.map(String.init).joined(separator: ",") },
        read: reader(path) { text in
          let parts = text.split(separator: ",", omittingEmptySubsequences: false)
          let numbers = parts.compactMap { Int($0) }
          return numbers.count == parts.count ? numbers : nil
        },
        problem: { options in
          options[keyPath: path]?.first { $0 < 0 }.map { "\($0)" }
        })
    }

    private static func reader<Value>(
      _ path: WritableKeyPath<SolverOptions, Value?>, _ parse: @escaping (String) -> Value?
    ) -> (String, inout SolverOptions) -> Bool {
      { text, options in
        guard let value = parse(text) else { return false }
        options[keyPath: path] = value
        return true
      }
    }

    private static func short(_ number: Double) -> String {
      number == number.rounded() && abs(number) < 1e6 ? "\(Int(number))" : "\(number)"
    }
  }
}
