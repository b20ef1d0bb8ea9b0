import TensorCore
import TensorLayers
import TestSupport
import Testing

@Suite struct DropoutTests {
  @Test func keepsTheMeanAndDropsTheShare() {
    let x = Tensor.ones([100, 1000])
    let y = x.dropped(rate: 0.3, key: DropoutKey(seed: 5, step: 0)).doubles
    let share = Double(y.count { $0 == 0 }) / Double(y.count)
    // Three and a half standard deviations of 100,000 draws.
    #expect(abs(share - 0.3) < 0.005)
    #expect(y.allSatisfy { $0 == 0 || abs($0 - 1 / 0.7) < 1e-6 })
  }

  @Test func withoutAKeyNothingIsDropped() {
    let x = Sample.uniform([10])
    #expect(x.dropped(rate: 0.5, key: nil).doubles == x.doubles)
  }

  @Test func aMaskDependsOnTheKeyAlone() {
    let x = Tensor.ones([4, 64])
    let key = DropoutKey(seed: 1, step: 2)
    func mask(_ key: DropoutKey, _ x: Tensor = x) -> [Float] {
      x.dropped(rate: 0.5, key: key).floats
    }
    #expect(mask(key) == mask(DropoutKey(seed: 1, step: 2)))
    // A smaller batch drops the same elements.
    #expect(mask(key, .ones([2, 64])) == Array(mask(key).prefix(128)))
    let others = [
      DropoutKey(seed: 2, step: 2), DropoutKey(seed: 1, step: 3), key.part(0), key.part(1),
      key.part(0).part(1), key.part(1).part(0),
    ]
    #expect(Set(others.map { mask($0) } + [mask(key)]).count == others.count + 1)
  }
}
