import DiffusionImages
import DiffusionTraining
import Testing

@Suite struct ValidationSplitTests {
  /// Nothing but names.
  struct Names: Dataset {
    let names: [String]
    var count: Int { names.count }
    var classNames: [String] { [] }
    func identifier(at index: Int) -> String { names[index] }
    func sample(at index: Int) throws(DataError) -> TrainingSample {
      TrainingSample(
        image: Image(width: 1, height: 1, filledWith: [0]), caption: names[index])
    }
  }

  let data = Names(names: (0..<1000).map { "picture\($0).png" })

  @Test func fractionsAreExactAndComplete() {
    for (fraction, expected) in [(0, 0), (0.1, 100), (0.0305, 31), (1, 1000)] as [(Double, Int)] {
      let (training, validation) = ValidationSplit.fraction(fraction, seed: 3).indices(of: data)
      #expect(validation.count == expected)
      #expect((training + validation).sorted() == Array(0..<1000))
      #expect(training == training.sorted() && validation == validation.sorted())
    }
  }

  @Test func seedsChooseOthers() {
    func chosen(_ seed: UInt64) -> [Int] {
      ValidationSplit.fraction(0.1, seed: seed).indices(of: data).validation
    }
    #expect(chosen(1) == chosen(1))
    let common = Set(chosen(1)).intersection(chosen(2)).count
    #expect((1...25).contains(common))  // 10 expected, standard deviation 2.9
    #expect((20...80).contains(chosen(1).count { $0 < 500 }))
  }

  @Test func hashesKeepSamplesOnTheirSide() {
    let split = ValidationSplit.hash(share: 0.2)
    let all = split.indices(of: data)
    #expect((150...250).contains(all.validation.count))  // 200 expected, deviation 12.6
    let some = Names(names: data.names.reversed().filter { !$0.contains("7") })
    let kept = Set(all.validation.map { data.names[$0] })
    let again = Set(split.indices(of: some).validation.map { some.names[$0] })
    #expect(again == kept.filter { !$0.contains("7") })
    #expect(ValidationSplit.hash(share: 0).indices(of: data).validation.isEmpty)
    #expect(ValidationSplit.hash(share: 1).indices(of: data).training.isEmpty)
  }

  @Test func subsetsAreData() throws {
    let (training, validation) = ValidationSplit.fraction(0.25, seed: 0).apply(to: data)
    #expect(training.count == 750 && validation.count == 250)
    #expect(try validation.sample(at: 9).caption == validation.identifier(at: 9))
    #expect(validation.identifier(at: 9) == data.names[validation.indices[9]])
  }
}
