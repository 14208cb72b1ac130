//! Multiples of a point by way of the endomorphism (x, y) -> (zeta x, y).
//!
//! It multiplies by a cube root of one, lambda. A scalar is split into k1 + k2 lambda with halves of
//! 127 bits (Gallant, Lambert and Vanstone, CRYPTO 2001; the lattice's basis is `pasta_curves`'), and
//! both halves go through one ladder of doublings in width-4 non-adjacent form. The odd multiples
//! that it adds are brought to one z without an inversion: on the isomorphic curve where that z is 1
//! they are affine, and the result's z takes it back (Meloni's co-Z addition, WAIFI 2007).

use ff::{Field as _, PrimeField as _, WithSmallOrderMulGroup as _};
use pasta_curves::{Eq as StockPoint, Fp, Fq, glv::GlvParams};

use super::{IDENTITY, Vesta, VestaPoint, add};

/// Odd multiples of a point: 1, 3, 5 and 7 times.
const MULTIPLES: usize = 4;

/// Digits of a half: a magnitude of 127 bits has one more at most.
const DIGITS: usize = 129;

/// A half of a scalar, lowest digit first: each is zero, or odd and between -7 and 7.
#[derive(Debug)]
struct Digits {
    digits: [i8; DIGITS],
    length: usize,
}

/// `scalar` times `point`.
pub(super) fn multiple(point: &VestaPoint, scalar: &Fp) -> VestaPoint {
    if point.is_zero() {
        return IDENTITY;
    }
    let (first, second) = split(scalar);
    let (first, second) = (Digits::new(first), Digits::new(second));
    let (multiples, z) = odd_multiples(point);
    let images = multiples.map(|point| Vesta {
        x: point.x * Fq::ZETA,
        y: point.y,
    });
    let mut sum = IDENTITY;
    for at in (0..first.length.max(second.length)).rev() {
        if !sum.is_zero() {
            sum = sum.doubled();
        }
        for (half, table) in [(&first, &multiples), (&second, &images)] {
            if let Some(term) = half.term(at, table) {
                sum = sum.add_affine(&term);
            }
        }
    }
    sum.z *= z;
    sum
}

/// The odd multiples as affine points of an isomorphic curve, and what brings a z there back here.
fn odd_multiples(point: &VestaPoint) -> ([Vesta; MULTIPLES], Fq) {
    let double = point.doubled();
    // On the curve where the double's z is 1.
    let square = double.z.square();
    let mut last = VestaPoint {
        x: point.x * square,
        y: point.y * (square * double.z),
        z: point.z,
    };
    let mut jacobian = [last; MULTIPLES];
    let mut factors = [Fq::ONE; MULTIPLES];
    for (multiple, factor) in jacobian.iter_mut().zip(&mut factors).skip(1) {
        let square = last.z.square();
        // Two odd multiples of a point of prime order differ in x from its double.
        let h = double.x * square - last.x;
        let r = double.y * (square * last.z) - last.y;
        last = add(last.x, last.y, h, r, last.z * h);
        (*multiple, *factor) = (last, h);
    }
    // To the last one's z: each is behind by the factors after it.
    let mut affine = [Vesta::default(); MULTIPLES];
    let mut behind = Fq::ONE;
    for ((affine, multiple), factor) in affine.iter_mut().zip(&jacobian).zip(&factors).rev() {
        *affine = multiple.scaled(behind);
        behind *= factor;
    }
    (affine, last.z * double.z)
}

/// A scalar's halves, k1 and k2 with k = k1 + k2 lambda, as sign and magnitude below 2^127.
fn split(scalar: &Fp) -> ((bool, u128), (bool, u128)) {
    let repr = scalar.to_repr();
    let mut limbs = [0; 4];
    for (limb, bytes) in limbs.iter_mut().zip(repr.as_chunks::<8>().0) {
        *limb = u64::from_le_bytes(*bytes);
    }
    let first = rounded(&StockPoint::G1, &limbs);
    let second = rounded(&StockPoint::G2, &limbs);
    let of_basis = difference(limbs, product(first, StockPoint::V1A));
    let k1 = difference(of_basis, product(second, StockPoint::V2A));
    let k2 = difference(
        product(first, StockPoint::V1B_NEG),
        product(second, StockPoint::V2B),
    );
    (signed(k1), signed(k2))
}

/// g k / 2^384, to the nearest.
fn rounded(g: &[u64; 5], k: &[u64; 4]) -> u128 {
    let mut limbs = [0; 9];
    multiply(g, k, &mut limbs);
    let [.., below, low, high, _] = limbs;
    let whole = u128::from(low) | (u128::from(high) << 64);
    whole.wrapping_add(u128::from(below >> 63))
}

fn product(a: u128, b: u128) -> [u64; 4] {
    let halves = |value: u128| [value as u64, (value >> 64) as u64];
    let mut limbs = [0; 4];
    multiply(&halves(a), &halves(b), &mut limbs);
    limbs
}

/// Schoolbook multiplication; `limbs` has the places of both factors, all zero.
fn multiply(a: &[u64], b: &[u64], limbs: &mut [u64]) {
    for (at, a) in a.iter().enumerate() {
        let mut carry = 0_u128;
        let mut places = limbs.iter_mut().skip(at);
        for (b, place) in b.iter().zip(&mut places) {
            let sum = u128::from(*a) * u128::from(*b) + u128::from(*place) + carry;
            *place = sum as u64;
            carry = sum >> 64;
        }
        if let Some(place) = limbs.get_mut(at + b.len()) {
            *place = carry as u64;
        }
    }
}

/// a - b modulo 2^256.
fn difference(a: [u64; 4], b: [u64; 4]) -> [u64; 4] {
    let mut limbs = [0; 4];
    let mut borrow = false;
    for ((limb, a), b) in limbs.iter_mut().zip(a).zip(b) {
        let (less, first) = a.overflowing_sub(b);
        let (less, second) = less.overflowing_sub(u64::from(borrow));
        (*limb, borrow) = (less, first || second);
    }
    limbs
}

/// Sign and magnitude of a number in two's complement that is shorter than 128 bits.
fn signed([low, high, _, top]: [u64; 4]) -> (bool, u128) {
    let low = u128::from(low) | (u128::from(high) << 64);
    if top >> 63 == 0 {
        (false, low)
    } else {
        (true, low.wrapping_neg())
    }
}

// === impl Digits ===

impl Digits {
    fn new((negative, mut magnitude): (bool, u128)) -> Self {
        let mut digits = [0; DIGITS];
        let mut length = 0;
        for digit in &mut digits {
            if magnitude == 0 {
                break;
            }
            if magnitude & 1 == 1 {
                let low = (magnitude & 15) as i8;
                let value = if low >= 8 { low - 16 } else { low };
                magnitude = magnitude.wrapping_sub(value as u128);
                *digit = if negative { -value } else { value };
            }
            magnitude >>= 1;
            length += 1;
        }
        Self { digits, length }
    }

    /// What the ladder adds at a digit.
    #[inline]
    fn term(&self, at: usize, table: &[Vesta; MULTIPLES]) -> Option<Vesta> {
        let digit = *self.digits.get(at).filter(|digit| **digit != 0)?;
        let point = *table.get(usize::from(digit.unsigned_abs() / 2))?;
        Some(if digit < 0 { -point } else { point })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_make_the_scalar_and_are_short() {
        let signed = |(negative, magnitude): (bool, u128)| {
            assert!(magnitude >> 127 == 0, "a half has more than 127 bits");
            let value = Fp::from_u128(magnitude);
            if negative { -value } else { value }
        };
        let mut scalar = Fp::from(0x9e37_79b9_7f4a_7c15);
        for scalar in [Fp::ZERO, Fp::ONE, -Fp::ONE, Fp::ZETA, -Fp::ZETA]
            .into_iter()
            .chain((0..2000).map(|_| {
                scalar = scalar.square() + Fp::ONE;
                scalar
            }))
        {
            let (first, second) = split(&scalar);
            assert_eq!(signed(first) + signed(second) * Fp::ZETA, scalar);
        }
    }

    #[test]
    fn digits_make_the_half() {
        for magnitude in [
            0,
            1,
            7,
            8,
            15,
            16,
            (1 << 127) - 1,
            0x0123_4567_89ab_cdef_u128 << 60,
        ] {
            for negative in [false, true] {
                let digits = Digits::new((negative, magnitude));
                let value = digits.digits.iter().rev().fold(Fp::ZERO, |sum, digit| {
                    let value = Fp::from(u64::from(digit.unsigned_abs()));
                    sum.double() + if *digit < 0 { -value } else { value }
                });
                let expected = Fp::from_u128(magnitude);
                assert_eq!(value, if negative { -expected } else { expected });
                assert!(
                    digits
                        .digits
                        .iter()
                        .all(|digit| digit % 2 != 0 || *digit == 0)
                );
            }
        }
    }
}
