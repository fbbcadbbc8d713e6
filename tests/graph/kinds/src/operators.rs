//! Calls without a name: operators, indexing, loops, the end of a scope.

use std::ops::{Add, AddAssign, Deref, Index, IndexMut, Mul, Neg, Not, RangeInclusive, Sub};

#[derive(Clone, Copy)]
pub struct Vector(pub i32, pub i32);

impl Add for Vector {
    type Output = Vector;
    fn add(self, other: Vector) -> Vector {
        Vector(self.0 + other.0, self.1 + other.1)
    }
}
impl<'a> Sub<&'a Vector> for &'a Vector {
    type Output = Vector;
    fn sub(self, other: &Vector) -> Vector {
        *self + -*other
    }
}
impl Mul<i32> for Vector {
    type Output = Vector;
    fn mul(self, factor: i32) -> Vector {
        Vector(self.0 * factor, self.1 * factor)
    }
}
impl AddAssign for Vector {
    fn add_assign(&mut self, other: Vector) {
        *self = *self + other;
    }
}
impl Neg for Vector {
    type Output = Vector;
    fn neg(self) -> Vector {
        self * -1
    }
}
impl Not for Vector {
    type Output = Vector;
    fn not(self) -> Vector {
        Vector(self.1, self.0)
    }
}
impl PartialEq for Vector {
    fn eq(&self, other: &Vector) -> bool {
        self.0 == other.0
    }
}
impl PartialOrd for Vector {
    fn partial_cmp(&self, other: &Vector) -> Option<std::cmp::Ordering> {
        self.0.partial_cmp(&other.0)
    }
}

pub fn arithmetic(mut left: Vector, right: Vector) -> Vector {
    left += right;
    let sum = left + right;
    let difference = &sum - &right;
    -(difference * 2) + !left
}

/// `!=` is `eq`, `<` is the standard library's `lt`, which calls `partial_cmp`.
pub fn comparison(left: Vector, right: Vector) -> bool {
    left == right || left != right || left < right
}

pub struct Grid {
    cells: Vec<Vector>,
}

impl Index<usize> for Grid {
    type Output = Vector;
    fn index(&self, at: usize) -> &Vector {
        &self.cells[at]
    }
}
impl IndexMut<usize> for Grid {
    fn index_mut(&mut self, at: usize) -> &mut Vector {
        &mut self.cells[at]
    }
}

pub fn indexed(grid: &mut Grid) -> Vector {
    grid[0] = Vector(1, 1);
    grid[1] += Vector(1, 1);
    grid[2].scaled(2) + grid[0]
}

impl Vector {
    pub fn scaled(&self, factor: i32) -> Vector {
        *self * factor
    }
}

pub struct Smart(Vector);

impl Deref for Smart {
    type Target = Vector;
    fn deref(&self) -> &Vector {
        &self.0
    }
}

pub fn dereferenced(smart: &Smart) -> Vector {
    takes_vector(smart) + *smart.deref() + **smart
}

fn takes_vector(vector: &Vector) -> Vector {
    *vector
}

/// Its own iterator, by value and by reference.
pub struct Steps(u32);

impl Iterator for Steps {
    type Item = Vector;
    fn next(&mut self) -> Option<Vector> {
        self.0 = self.0.checked_sub(1)?;
        Some(Vector(0, 0))
    }
}

impl<'a> IntoIterator for &'a Grid {
    type Item = &'a Vector;
    type IntoIter = std::slice::Iter<'a, Vector>;
    fn into_iter(self) -> Self::IntoIter {
        self.cells.iter()
    }
}

impl IntoIterator for Grid {
    type Item = Vector;
    type IntoIter = Steps;
    fn into_iter(self) -> Steps {
        Steps(self.cells.len() as u32)
    }
}

pub fn looped(grid: Grid) {
    for step in Steps(3) {
        step.scaled(1);
    }
    for cell in &grid {
        cell.scaled(2);
    }
    for cell in grid {
        cell.scaled(3);
    }
    while let Some(step) = Steps(1).next() {
        step.scaled(4);
        break;
    }
}

/// Methods of the standard library's traits, on its own types.
pub fn adapted() -> i32 {
    Steps(2).map(|it| it.scaled(2).0).sum::<i32>() + Steps(1).last().unwrap().scaled(1).0
}

pub struct Resource(Vector);

impl Drop for Resource {
    fn drop(&mut self) {
        release(&self.0);
    }
}

fn release(vector: &Vector) {}

pub struct Owner {
    resource: Resource,
    more: Vec<Resource>,
}

pub fn dropped(owner: Owner) {
    let local = Resource(Vector(0, 0));
    drop(local);
    let _ = Resource(Vector(1, 1));
}

pub fn ranged(range: RangeInclusive<u32>) -> u32 {
    range.map(|it| crate::generics::countdown(it)).sum()
}
